package debugfair

import (
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"unicode/utf8"
)

// longest is the most characters of a name that are kept.
const longest = 64

// short is the name, or, if it is long, its ends with a hash of it in between,
// so that different names stay different.
func short(name string) string {
	if len(name) <= longest || utf8.RuneCountInString(name) <= longest {
		return name
	}
	h := fnv.New64a()
	h.Write([]byte(name))
	return fmt.Sprintf("%s…%016x…%s", head(name, 32), h.Sum64(), tail(name, 12))
}

// label is how a name that anybody may have chosen is shown: as it is or, if it
// is empty, has characters that cannot be seen or begins with a quote, as a
// string of Go.
func label(name string) string {
	name = short(name)
	if name != "" && name[0] != '"' && utf8.ValidString(name) &&
		strings.IndexFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) < 0 {
		return name
	}
	return strconv.Quote(name)
}

// head is the first n characters of s.
func head(s string, n int) string {
	end := 0
	for ; n > 0 && end < len(s); n-- {
		_, size := utf8.DecodeRuneInString(s[end:])
		end += size
	}
	return s[:end]
}

// tail is the last n characters of s.
func tail(s string, n int) string {
	begin := len(s)
	for ; n > 0 && begin > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:begin])
		begin -= size
	}
	return s[begin:]
}

// excerpt is the beginning of a text of perhaps several lines, with what cannot
// be seen replaced.
func excerpt(text string, most int) string {
	cut := ""
	if len(text) > most {
		text, cut = text[:most], " …"
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || strconv.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, text) + cut
}
