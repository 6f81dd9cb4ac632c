package debugfair

import (
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

func TestALabelShowsANameAsItIsUnlessItCannotBeSeen(t *testing.T) {
	for name, want := range map[string]string{
		"acme":                      "acme",
		"acme/alice@example.com":    "acme/alice@example.com",
		`DOMAIN\user`:               `DOMAIN\user`,
		"<script>alert(1)</script>": "<script>alert(1)</script>",
		"שלום":                      "שלום",
		"日本語":                       "日本語",
		"":                          `""`,
		`"quoted"`:                  `"\"quoted\""`,
		"a\x00b\x1b[31m\nc":         `"a\x00b\x1b[31m\nc"`,
		"\xff\xfe":                  `"\xff\xfe"`,
		"evil\u202egpj.exe":         `"evil\u202egpj.exe"`,
		"zero\u200bwidth":           `"zero\u200bwidth"`,
	} {
		require.Equal(t, want, label(name), "%q", name)
	}
}

func TestLongNamesStayDifferent(t *testing.T) {
	a := strings.Repeat("a", 5000) + "1" + strings.Repeat("a", 5000)
	b := strings.Repeat("a", 5000) + "2" + strings.Repeat("a", 5000)
	require.NotEqual(t, label(a), label(b))
	require.LessOrEqual(t, utf8.RuneCountInString(label(a)), longest)
	require.Equal(t, label(a), label(short(a)), "what is kept of a name shows as the name does")
	require.Equal(t, strings.Repeat("é", longest), label(strings.Repeat("é", longest)))
}

func FuzzLabelsCanBeSeenAndTellNamesApart(f *testing.F) {
	f.Add("a", "b")
	f.Add("\x00", `"\x00"`)
	f.Add("", `""`)
	f.Add(strings.Repeat("\xff", 70), strings.Repeat("�", 70))
	f.Add("\u202e", `\u202e`)
	f.Fuzz(func(t *testing.T, a, b string) {
		la, lb := label(a), label(b)
		if a != b && la == lb {
			t.Fatalf("%q and %q are both %s", a, b, la)
		}
		if !utf8.ValidString(la) || la == "" || len(la) > 12*longest {
			t.Fatalf("%q is %q", a, la)
		}
		for _, r := range la {
			if !strconv.IsPrint(r) {
				t.Fatalf("%q is %q", a, la)
			}
		}
	})
}

func TestAnExcerptKeepsLinesAndNothingThatControlsATerminal(t *testing.T) {
	require.Equal(t, "a\n\tb", excerpt("a\n\tb", 10))
	require.Equal(t, "�[31mred", excerpt("\x1b[31mred", 100))
	require.Equal(t, "0123 …", excerpt("0123456789", 4))
}
