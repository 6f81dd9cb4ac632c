package pgxfair

import (
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// message is one of the server's.
func message(kind byte, body string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4))
	return append(b, body...)
}

func TestATagReaderReadsTheTagsHoweverTheBytesArrive(t *testing.T) {
	for _, c := range []struct {
		messages [][]byte
		dirty    bool
	}{
		{[][]byte{message('C', "SELECT 1\x00"), message('Z', "I")}, false},
		{[][]byte{message('C', "INSERT 0 1\x00")}, false},
		{[][]byte{message('C', "SET\x00")}, true},
		{[][]byte{message('S', "TimeZone\x00UTC\x00")}, true},
		{[][]byte{message('D', "C....SET\x00"), message('1', ""), message('C', "COPY 5\x00")}, false},
		{[][]byte{message('D', string(make([]byte, 5000))), message('C', "DISCARD ALL\x00"), message('Z', "I")}, true},
		{[][]byte{message('C', "BEGIN\x00"), message('C', "CREATE TABLE\x00"), message('C', "COMMIT\x00")}, true},
		{[][]byte{message('C', string(make([]byte, 1000)))}, true}, // unknown
		{[][]byte{message('C', "")}, true},
		{[][]byte{message('I', ""), message('n', ""), message('s', "")}, false},
	} {
		var all []byte
		for _, m := range c.messages {
			all = append(all, m...)
		}
		for size := 1; size <= len(all); size += 1 + size/8 {
			l := &tagReader{}
			for rest := all; len(rest) > 0; rest = rest[min(size, len(rest)):] {
				l.follow(rest[:min(size, len(rest))])
			}
			require.Equal(t, c.dirty, l.take(), "%q in pieces of %d bytes", all, size)
			require.False(t, l.take())
			require.Zero(t, l.have)
		}
	}
}

// FuzzTagReader has a tagReader follow anything at all: it must not panic, nor
// depend on how the bytes are cut.
func FuzzTagReader(f *testing.F) {
	f.Add(append(message('C', "SELECT 1\x00"), message('C', "SET\x00")...), uint64(1))
	f.Add([]byte{'C', 0, 0, 0, 0, 'C', 0xff, 0xff, 0xff, 0xff, 'S'}, uint64(2))
	f.Fuzz(func(t *testing.T, all []byte, seed uint64) {
		whole, pieces := &tagReader{}, &tagReader{}
		whole.follow(all)
		random := rand.New(rand.NewPCG(seed, 0))
		for rest := all; len(rest) > 0; {
			n := 1 + random.IntN(len(rest))
			pieces.follow(rest[:n])
			rest = rest[n:]
		}
		require.Equal(t, whole.take(), pieces.take())
	})
}

func TestATagReaderPassesOnWhatItReads(t *testing.T) {
	here, there := net.Pipe()
	l := &tagReader{Conn: here}
	go func() {
		there.Write(message('C', "SET\x00"))
		there.Close()
	}()
	got, err := io.ReadAll(l)
	require.NoError(t, err)
	require.Equal(t, message('C', "SET\x00"), got)
	require.True(t, l.take())
	require.False(t, (*tagReader)(nil).take())
	here.Close()
}
