// Package pgtext writes text into SQL for PostgreSQL.
package pgtext

import (
	"fmt"
	"unicode/utf8"
)

// Literal returns text, which is UTF-8 without NUL bytes, as a constant of SQL
// that is all ASCII. So it means the same whatever somebody has made of the
// session's client_encoding and standard_conforming_strings, which a parameter
// does not.
func Literal(text string) string {
	b := append(make([]byte, 0, len(text)+3), "e'"...)
	for _, r := range text {
		switch {
		case r == '\'' || r == '\\':
			b = fmt.Appendf(b, `\x%02x`, r)
		case r < utf8.RuneSelf:
			b = append(b, byte(r))
		case r <= 0xffff:
			b = fmt.Appendf(b, `\u%04x`, r)
		default:
			b = fmt.Appendf(b, `\U%08x`, r)
		}
	}
	return string(append(b, '\''))
}
