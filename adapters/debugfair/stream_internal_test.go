package debugfair

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAStreamNeverSkipsAFrameButEnds(t *testing.T) {
	s := &stream{frames: make(chan []byte, queue)}
	for i := range queue + 3 {
		s.offer([]byte{byte(i)})
	}
	i := 0
	for frame := range s.frames {
		require.Equal(t, []byte{byte(i)}, frame)
		i++
	}
	require.Equal(t, queue, i)
}
