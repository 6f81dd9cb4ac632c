package pool_test

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// Those fields may be as short as they like.
var anyLength = map[string]bool{"Sharing.Horizon": true, "Sharing.Burst": true, "Health.CheckAfter": true}

// durations calls visit with each duration in a configuration and its name.
func durations(v reflect.Value, path string, visit func(field string, d reflect.Value)) {
	for i := range v.NumField() {
		field, name := v.Field(i), path+v.Type().Field(i).Name
		switch {
		case field.Type() == reflect.TypeFor[time.Duration]():
			visit(name, field)
		case field.Kind() == reflect.Struct:
			durations(field, name+".", visit)
		}
	}
}

func TestADurationWithoutItsUnitIsAMistake(t *testing.T) {
	configured := func() *pool.Config[int] {
		use := func(context.Context, int) error { return nil }
		cfg := &pool.Config[int]{MaxSize: 4, Constructor: func(context.Context) (int, error) { return 0, nil }}
		cfg.Health.Check, cfg.Tenancy.Reset = use, use
		cfg.Tenancy.Prepare = func(context.Context, int, pool.Handover) error { return nil }
		cfg.Age.MaxLifetime = time.Hour
		return cfg
	}
	tried := 0
	durations(reflect.ValueOf(configured()).Elem(), "", func(field string, _ reflect.Value) {
		try := func(d time.Duration) error {
			cfg := configured()
			durations(reflect.ValueOf(cfg).Elem(), "", func(name string, v reflect.Value) {
				if name == field {
					v.SetInt(int64(d))
				}
			})
			p, err := pool.New(*cfg)
			if err == nil {
				p.Close()
			}
			return err
		}
		tried++
		require.NoError(t, try(time.Millisecond), field)
		for _, d := range []time.Duration{1, 1800, time.Millisecond - 1} {
			if anyLength[field] {
				require.NoError(t, try(d), field)
			} else {
				require.ErrorContains(t, try(d), strings.TrimPrefix(field, "Sharing.")+" is "+d.String()+", must be at least 1ms")
			}
		}
		if err := try(1800); err != nil {
			require.ErrorContains(t, err, "for seconds write 1800*time.Second")
		}
	})
	require.GreaterOrEqual(t, tried, 16)
}
