package debugfair

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func at(i int) time.Time { return someday.Add(time.Duration(i) * time.Second) }

func TestAHistoryForgetsTheOldestFirst(t *testing.T) {
	var h history
	for i := range 25 {
		h.add(moment{Seq: uint64(i), At: at(i)}, 10)
	}
	var seqs []uint64
	for _, m := range h.since(0, time.Time{}) {
		seqs = append(seqs, m.Seq)
	}
	require.Equal(t, []uint64{15, 16, 17, 18, 19, 20, 21, 22, 23, 24}, seqs)
	require.Len(t, h.since(22, time.Time{}), 2)
	require.Len(t, h.since(0, at(20)), 4)
}

func TestAColourThatIsGivenAwayTakesNothingWithIt(t *testing.T) {
	var h history
	var m moment
	m.Held[2], m.Held[colors], m.Waiting[2] = 5, 1, 7
	h.add(m, 10)
	h.fold(2)
	got := h.since(0, time.Time{}.Add(-1))
	require.Empty(t, got, "numbers begin at 1")
	require.Equal(t, 0, h.moments[0].Held[2])
	require.Equal(t, 6, h.moments[0].Held[colors])
	require.Equal(t, 7, h.moments[0].Waiting[colors])
}

func TestNumbersAreShort(t *testing.T) {
	for n, want := range map[number]string{
		0: "0", 1.0 / 3: "0.333", 12.3456: "12.346", 1234.5678: "1235", -250.4: "-250",
		number(math.NaN()): "null", number(math.Inf(1)): "null",
	} {
		got, err := json.Marshal(n)
		require.NoError(t, err)
		require.Equal(t, want, string(got))
	}
}

func TestAnArchiveKeepsTenMinutesAndFindsTheNearest(t *testing.T) {
	var a archive
	for i := 1000; i < 2000; i++ {
		a.add(at(i), []byte(fmt.Sprint(i)))
	}
	require.InDelta(t, lookBack/archiveEvery, len(a.pages), 2)
	require.Equal(t, "1500", string(unpack(a.nearest(at(1500)))))
	require.Equal(t, "1502", string(unpack(a.nearest(at(1501).Add(time.Millisecond)))))
	require.Equal(t, "1998", string(unpack(a.nearest(at(9999)))))
	require.Equal(t, "1398", string(unpack(a.nearest(at(0)))))
}

func TestAnArchiveIsBounded(t *testing.T) {
	var a archive
	rng := rand.NewChaCha8([32]byte{})
	for i := range 40 {
		frame := make([]byte, 300<<10) // which cannot be compressed
		_, _ = rng.Read(frame)
		a.add(at(2*i), frame)
		require.LessOrEqual(t, a.bytes, archiveBytes+len(a.pages[len(a.pages)-1].data))
	}
	require.Greater(t, a.bytes, archiveBytes/2)
	sum := 0
	for _, p := range a.pages {
		sum += len(p.data)
	}
	require.Equal(t, sum, a.bytes)
}
