package leaders

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"unicode/utf8"
)

// Others is the label of the row of all tenants that have none of their own.
const Others = "other"

// maxLabel is the greatest length in bytes of a name that is its own label.
const maxLabel = 128

// Label is the name of a tenant as valid UTF-8, for the labels of a monitoring
// system. No two tenants have the same one, nor any that of Others. Most names
// are their own; the empty one, what is no UTF-8, "other", and what begins with
// a quotation mark, are quoted as in Go; and of a long one the beginning is
// quoted, and a hash of the whole follows. None is longer than 514 bytes.
func Label(name string) string {
	switch {
	case len(name) > maxLabel:
		hash := sha256.Sum256([]byte(name))
		return strconv.Quote(beginning(name, maxLabel/2)) + "…" + hex.EncodeToString(hash[:16])
	case name == "" || name == Others || name[0] == '"' || !utf8.ValidString(name):
		return strconv.Quote(name)
	}
	return name
}

// beginning is the first n bytes of name, or a few less so as not to cut a
// character in two.
func beginning(name string, n int) string {
	for i := n; i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(name[i]) {
			return name[:i]
		}
	}
	return name[:n]
}
