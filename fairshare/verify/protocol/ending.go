package protocol

// Whether it ends. Everybody does what they do once, so that a run without an
// end would be one that comes back to a state in which it was before: somebody
// looks again and again for something that does not change, or two undo what
// the other one does.

// A way leads from one state to another.
type way struct {
	to int32
	by label
}

// longest returns how many moves the longest run takes; or, if there is one
// without an end, the moves that come round again.
func (x *explorer) longest() (moves int, circle []label) {
	const onTheWay = -1
	left := make([]int32, len(x.ends)) // moves of the longest run from a state, plus 1; 0: not known
	path := []int32{0}                 // of states, each from the one before it
	next := make([]int32, len(x.ends)) // the way to look at next, of a state on the path
	for at := range next[1:] {
		next[at+1] = x.ends[at]
	}
	left[0] = onTheWay
	for len(path) > 0 {
		at := path[len(path)-1]
		if next[at] == x.ends[at] {
			most := int32(1)
			for _, w := range x.out(at) {
				most = max(most, left[w.to]+1)
			}
			left[at] = most
			path = path[:len(path)-1]
			continue
		}
		to := x.ways[next[at]].to
		next[at]++
		switch left[to] {
		case 0:
			left[to] = onTheWay
			path = append(path, to)
		case onTheWay:
			first := len(path) - 1
			for path[first] != to {
				first--
			}
			for _, at := range path[first:] {
				circle = append(circle, x.ways[next[at]-1].by)
			}
			return 0, circle
		}
	}
	return int(left[0]) - 1, nil
}

// out are the ways out of a state.
func (x *explorer) out(at int32) []way {
	if at == 0 {
		return x.ways[:x.ends[0]]
	}
	return x.ways[x.ends[at-1]:x.ends[at]]
}
