package pgtext_test

import (
	"testing"

	"github.com/fairpool/fairpool/adapters/internal/pgtext"
	"github.com/stretchr/testify/require"
)

func TestALiteralIsAllASCIIWithoutAQuoteInside(t *testing.T) {
	for text, want := range map[string]string{
		"":                       `e''`,
		"acme":                   `e'acme'`,
		`o'clock\`:               `e'o\x27clock\x5c'`,
		"é 漢 😀":                  `e'\u00e9 \u6f22 \U0001f600'`,
		"a\n\t;--$1":             "e'a\n\t;--$1'",
		"\u0080\uffff\U00010000": `e'\u0080\uffff\U00010000'`,
	} {
		require.Equal(t, want, pgtext.Literal(text))
	}
}
