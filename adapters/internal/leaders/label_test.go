package leaders_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/stretchr/testify/require"
)

func TestMostNamesAreTheirOwnLabels(t *testing.T) {
	for _, name := range []string{"acme", "acme/alice", `acme\bob`, "größe 日本", "<script>", "line\nbreak", strings.Repeat("x", 128)} {
		require.Equal(t, name, leaders.Label(name))
	}
	for name, label := range map[string]string{
		"":         `""`,
		"other":    `"other"`,
		`"other"`:  `"\"other\""`,
		"\xff\xfe": `"\xff\xfe"`,
		"ok\x80":   `"ok\x80"`,
	} {
		require.Equal(t, label, leaders.Label(name))
	}
}

func TestTheLabelOfALongNameIsShort(t *testing.T) {
	long := strings.Repeat("ж", 1<<20)
	label := leaders.Label(long)
	require.LessOrEqual(t, len(label), 128)
	require.Contains(t, label, strings.Repeat("ж", 30))
	require.NotEqual(t, label, leaders.Label(long+"ж"))
	require.NotEqual(t, label, leaders.Label(label))
}

func FuzzLabelsAreValidAndNeverTheSame(f *testing.F) {
	long := strings.Repeat("a", 200)
	for _, name := range []string{"", "a", "other", `"other"`, `\xff`, "\xff", `"\xff"`, "\"", "\x00", "\u202e", long, long + "\xff", "\xec" + strings.Repeat("\x00", 127)} {
		f.Add(name, name+"x")
		f.Add(name, leaders.Label(name))
		f.Add(leaders.Label(name), leaders.Label(leaders.Label(name)))
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		x, y := leaders.Label(a), leaders.Label(b)
		if !utf8.ValidString(x) || x == "" || len(x) > 4*128+2 { // each byte escaped, in quotation marks
			t.Fatalf("%q becomes %q", a, x)
		}
		if x == leaders.Others {
			t.Fatalf("%q looks like all others", a)
		}
		if (x == y) != (a == b) {
			t.Fatalf("%q becomes %q, %q becomes %q", a, x, b, y)
		}
	})
}
