package debugfair

import (
	"fmt"
	"iter"
)

// Pairs returns labels and values, which come in turn, for Pool.Figures. Values
// are written as fmt.Sprint does.
func Pairs(labelsAndValues ...any) iter.Seq2[string, string] {
	return func(yield func(label, value string) bool) {
		for i := 0; i < len(labelsAndValues); i += 2 {
			value := "(no value)"
			if i+1 < len(labelsAndValues) {
				value = fmt.Sprint(labelsAndValues[i+1])
			}
			if !yield(fmt.Sprint(labelsAndValues[i]), value) {
				return
			}
		}
	}
}
