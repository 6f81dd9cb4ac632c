package otelfair

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/fairpool/fairpool/adapters/internal/unit"
	"github.com/fairpool/fairpool/pool"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

const scope = "github.com/fairpool/fairpool/adapters/otelfair"

// Options describe what Observe reports. Pool is required.
type Options struct {
	// Pool is the value of the attribute that tells pools apart.
	Pool string

	// MeterProvider is where to report. nil means the global one.
	MeterProvider metric.MeterProvider

	// TopTenants is how many tenants are reported by name, those that use
	// most. 0 leaves out all that is by tenant.
	TopTenants int

	// Stay is for how long at least a tenant is reported by name once it is.
	// Each of the TopTenants places changes hands once in that time at most.
	// 0 means ten minutes, a negative one not at all.
	Stay time.Duration

	// Database is for pools of database connections, nil for others.
	Database *Database
}

// Database has a pool reported by the conventions for database connections.
type Database struct {
	// Sizes are those of the pool's Config, of which its Stats say nothing.
	Sizes pool.Sizes
}

// Observe has the figures of source reported whenever they are collected, until
// the registration is undone. It returns an error that names what is wrong with
// the options, or that of the meter.
func Observe[S Stats](source Source[S], o Options) (metric.Registration, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	if v := reflect.ValueOf(source); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, errors.New("otelfair: the source is nil")
	}
	if o.Database != nil && !ofPool[S]() {
		return nil, errors.New("otelfair: Options.Database is set, but a semaphore has no connections")
	}
	m := newInstruments(o.MeterProvider)
	own := metric.WithAttributeSet(attribute.NewSet(poolKey.String(o.Pool)))
	m.totals(sharing(o.Database == nil), own)
	switch {
	case o.Database != nil:
		m.totals(resources(false), own)
		m.groups(groups(false), o.Pool)
		m.database(o.Pool, o.Database.Sizes)
	case ofPool[S]():
		m.totals(resources(true), own)
		m.groups(groups(true), o.Pool)
	}
	if o.TopTenants > 0 {
		stay := o.Stay
		if stay == 0 {
			stay = 10 * time.Minute
		}
		m.tenants(leaders.NewBoard(o.TopTenants, stay), source.Tenants, o.Pool)
	}
	if m.err != nil {
		return nil, fmt.Errorf("otelfair: %w", m.err)
	}
	stats := read(source)
	return m.meter.RegisterCallback(func(_ context.Context, to metric.Observer) error {
		now := stats()
		for _, report := range m.reports {
			report(to, &now)
		}
		return nil
	}, m.all...)
}

func (o *Options) check() error {
	if err := checkPool("Options.Pool", o.Pool); err != nil {
		return err
	}
	if o.TopTenants < 0 {
		return fmt.Errorf("otelfair: Options.TopTenants is %d, must not be negative", o.TopTenants)
	}
	if fault := unit.Fault(max(0, o.Stay)); fault != "" {
		return fmt.Errorf("otelfair: Options.Stay is %v, %s", o.Stay, fault)
	}
	if o.Database != nil {
		for field, n := range map[string]int{"MinIdle": o.Database.Sizes.MinIdle, "MaxIdle": o.Database.Sizes.MaxIdle} {
			if n < 0 {
				return fmt.Errorf("otelfair: Options.Database.Sizes.%s is %d, must not be negative", field, n)
			}
		}
	}
	return nil
}

func checkPool(field, name string) error {
	if name == "" || !utf8.ValidString(name) {
		return fmt.Errorf("otelfair: %s is %q, must be a name in UTF-8", field, name)
	}
	return nil
}

// instruments are those that one callback reports.
type instruments struct {
	meter   metric.Meter
	all     []metric.Observable
	reports []func(metric.Observer, *pool.Stats)
	err     error // the first
}

func newInstruments(p metric.MeterProvider) *instruments {
	if p == nil {
		p = otel.GetMeterProvider()
	}
	return &instruments{meter: p.Meter(scope)}
}

// A kind is how a figure behaves.
type kind int

const (
	total kind = iota // only ever grows
	level             // goes up and down; those of several pools add up
	state             // the same, but they do not
)

// A name is what an instrument is called, in which unit it counts, and what it
// means.
type name struct{ name, unit, means string }

// A reading reports a value.
type reading func(to metric.Observer, value float64, options ...metric.ObserveOption)

// instrument makes one. Seconds are reported as fractions, all else is whole.
func (m *instruments) instrument(k kind, n name) reading {
	unit, means := metric.WithUnit(n.unit), metric.WithDescription(n.means)
	if n.unit == "s" {
		var i metric.Float64Observable
		var err error
		switch k {
		case total:
			i, err = m.meter.Float64ObservableCounter(n.name, unit, means)
		case level:
			i, err = m.meter.Float64ObservableUpDownCounter(n.name, unit, means)
		case state:
			i, err = m.meter.Float64ObservableGauge(n.name, unit, means)
		}
		m.add(i, err)
		return func(to metric.Observer, value float64, options ...metric.ObserveOption) {
			to.ObserveFloat64(i, value, options...)
		}
	}
	var i metric.Int64Observable
	var err error
	switch k {
	case total:
		i, err = m.meter.Int64ObservableCounter(n.name, unit, means)
	case level:
		i, err = m.meter.Int64ObservableUpDownCounter(n.name, unit, means)
	case state:
		i, err = m.meter.Int64ObservableGauge(n.name, unit, means)
	}
	return m.whole(i, err)
}

// whole is the reading of an instrument that takes whole numbers.
func (m *instruments) whole(i metric.Int64Observable, err error) reading {
	m.add(i, err)
	return func(to metric.Observer, value float64, options ...metric.ObserveOption) {
		to.ObserveInt64(i, int64(value), options...)
	}
}

func (m *instruments) add(i metric.Observable, err error) {
	if m.err == nil {
		m.err = err
	}
	m.all = append(m.all, i)
}

func (m *instruments) report(r func(metric.Observer, *pool.Stats)) {
	m.reports = append(m.reports, r)
}
