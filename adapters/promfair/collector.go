package promfair

import (
	"fmt"
	"reflect"
	"time"
	"unicode/utf8"

	"github.com/fairpool/fairpool/adapters/internal/leaders"
	"github.com/fairpool/fairpool/adapters/internal/unit"
	"github.com/fairpool/fairpool/pool"
	"github.com/prometheus/client_golang/prometheus"
)

// Options describe a Collector. Pool is required.
type Options struct {
	// Pool is the value of the label pool.
	Pool string

	// TopTenants is how many tenants have series of their own, those that use
	// most. 0 leaves out all series by tenant.
	TopTenants int

	// Stay is for how long at least a tenant keeps its series, however little
	// it uses. Each of the TopTenants places changes hands once in that time
	// at most. 0 means ten minutes, a negative one not at all.
	Stay time.Duration
}

// A Collector has the figures of one pool or semaphore, as they are at each
// scrape. It is to be registered.
type Collector struct {
	stats   func() pool.Stats
	metrics []metric
	groups  []group
	kept    []durations
	board   *leaders.Board // nil: without tenants
	tenants leaders.Tenants
	figures []figure
}

// NewCollector returns a collector of the source, or an error that names what
// is wrong with the options.
func NewCollector[S Stats](source Source[S], o Options) (*Collector, error) {
	if v := reflect.ValueOf(source); !v.IsValid() || v.Kind() == reflect.Pointer && v.IsNil() {
		return nil, fmt.Errorf("promfair: the source is nil")
	}
	if err := checkPool("Options.Pool", o.Pool); err != nil {
		return nil, err
	}
	if o.TopTenants < 0 {
		return nil, fmt.Errorf("promfair: Options.TopTenants is %d, must not be negative", o.TopTenants)
	}
	stay := o.Stay
	if fault := unit.Fault(max(0, stay)); fault != "" {
		return nil, fmt.Errorf("promfair: Options.Stay is %v, %s", stay, fault)
	}
	if stay == 0 {
		stay = 10 * time.Minute
	}
	c := &Collector{stats: read(source), tenants: source.Tenants}
	labels := prometheus.Labels{"pool": o.Pool}
	c.metrics, c.kept = sharing(labels), kept(labels)
	if _, ok := any(*new(S)).(pool.Stats); ok {
		c.metrics = append(c.metrics, resources(labels)...)
		c.groups = groups(labels)
	}
	if o.TopTenants > 0 {
		c.board = leaders.NewBoard(o.TopTenants, stay)
		c.figures = figures(labels)
	}
	return c, nil
}

func checkPool(field, name string) error {
	if name == "" || !utf8.ValidString(name) {
		return fmt.Errorf("promfair: %s is %q, must be a name in UTF-8", field, name)
	}
	return nil
}

// Describe is for the registry.
func (c *Collector) Describe(descs chan<- *prometheus.Desc) {
	for _, m := range c.metrics {
		descs <- m.desc
	}
	for _, g := range c.groups {
		descs <- g.desc
	}
	for _, d := range c.kept {
		descs <- d.desc
	}
	for _, f := range c.figures {
		descs <- f.desc
	}
}

// Collect is for the registry.
func (c *Collector) Collect(metrics chan<- prometheus.Metric) {
	stats := c.stats()
	for _, m := range c.metrics {
		metrics <- prometheus.MustNewConstMetric(m.desc, m.kind, m.value(&stats))
	}
	for _, g := range c.groups {
		for label, v := range g.values(&stats) {
			metrics <- prometheus.MustNewConstMetric(g.desc, g.kind, v, label)
		}
	}
	for _, d := range c.kept {
		metrics <- d.metric(&stats)
	}
	if c.board == nil {
		return
	}
	for _, row := range c.board.Rows(time.Now(), c.tenants) {
		for _, f := range c.figures {
			if row.Leads || f.sums {
				metrics <- prometheus.MustNewConstMetric(f.desc, f.kind, f.value(&row), row.Label)
			}
		}
	}
}
