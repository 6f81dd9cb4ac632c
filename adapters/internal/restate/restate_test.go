package restate_test

import (
	"errors"
	"testing"

	"github.com/fairpool/fairpool/adapters/internal/restate"
	"github.com/stretchr/testify/require"
)

func TestEachLineHasThePrefixOfTheAdapterAndNoOther(t *testing.T) {
	first, second := errors.New("pool: Config.Age.MaxUses is -1"), errors.New("pool: Config.Sharing.Headroom is -1")
	err := restate.As("sqlfair", errors.Join(first, second))
	require.EqualError(t, err, "sqlfair: Config.Age.MaxUses is -1\nsqlfair: Config.Sharing.Headroom is -1")
	require.ErrorIs(t, err, first)
	require.ErrorIs(t, err, second)
}
