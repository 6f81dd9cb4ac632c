package monitoring_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/promfair/monitoring"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/require"
)

// A dashboard is what of Grafana's format matters here.
type dashboard struct {
	Panels     []panel
	Templating struct {
		List []struct {
			Name, Type string
			Query      json.RawMessage
		}
	}
}

type panel struct {
	ID          int
	Type, Title string
	GridPos     struct{ X, Y, W, H int }
	Datasource  struct{ UID string }
	Targets     []struct{ RefID, Expr, LegendFormat string }
}

func load(t testing.TB) (d dashboard) {
	require.NoError(t, json.Unmarshal(monitoring.Dashboard, &d))
	return d
}

// concrete replaces the variables of the dashboard, as Grafana does.
func concrete(expression string) string {
	return strings.NewReplacer("$pool", "db", "$__rate_interval", "1m").Replace(expression)
}

// selected are the metrics that an expression selects.
func selected(t testing.TB, expression string) (names []string) {
	e, err := promQL.ParseExpr(expression)
	require.NoError(t, err, expression)
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			names = append(names, v.Name)
		}
		return nil
	})
	require.NotEmpty(t, names, expression)
	return names
}

// What is asked for is exported, and what is exported is asked for.
func TestTheMetricsAreThoseThatAreExported(t *testing.T) {
	exported := playOnce(t, "all is well").names()
	asked := make(map[string]bool)
	ask := func(expression string) {
		for _, name := range selected(t, expression) {
			require.Contains(t, exported, name, expression)
			asked[name] = true
		}
	}
	for _, rule := range rules(t) {
		ask(rule.Expr)
	}
	for _, p := range load(t).Panels {
		for _, target := range p.Targets {
			ask(concrete(target.Expr))
		}
	}
	for name := range exported {
		require.Contains(t, asked, name, "neither panel nor alert uses it")
	}
}

// An expression that selects the right metrics may still join them by the wrong
// labels. Each panel shows something in one scenario at least.
func TestEveryPanelHasSomethingToShow(t *testing.T) {
	var histories []*history
	for _, name := range []string{"all is well", "one holds all for a quarter of an hour", "a flood", "destructors that hang"} {
		histories = append(histories, playOnce(t, name))
	}
	for _, p := range load(t).Panels {
		for _, target := range p.Targets {
			shown := false
			for _, h := range histories {
				for _, series := range h.run(t, concrete(target.Expr), h.last.Add(-time.Hour)) {
					for _, point := range series.Floats {
						shown = shown || point.F == point.F // a mean of nothing is no number
					}
					require.NotContains(t, legend(target.LegendFormat, series.Metric.Get), "{{", p.Title)
				}
			}
			require.True(t, shown, "%s: %s", p.Title, target.Expr)
		}
	}
}

// legend fills in the labels that a series has.
func legend(format string, label func(string) string) string {
	for _, name := range []string{"tenant", "state", "step", "reason", "result"} {
		if value := label(name); value != "" {
			format = strings.ReplaceAll(format, "{{"+name+"}}", value)
		}
	}
	return format
}

func TestPanelsHaveTheirPlaces(t *testing.T) {
	d := load(t)
	taken := make(map[[2]int]string)
	ids := make(map[int]bool)
	for _, p := range d.Panels {
		require.NotEmpty(t, p.Title)
		require.False(t, ids[p.ID], "%s: its id is another's", p.Title)
		ids[p.ID] = true
		require.LessOrEqual(t, p.GridPos.X+p.GridPos.W, 24, p.Title)
		for x := range p.GridPos.W {
			for y := range p.GridPos.H {
				at := [2]int{p.GridPos.X + x, p.GridPos.Y + y}
				require.Empty(t, taken[at], "%s is on top of another", p.Title)
				taken[at] = p.Title
			}
		}
		if p.Type != "row" {
			require.Equal(t, "${datasource}", p.Datasource.UID, p.Title)
			require.NotEmpty(t, p.Targets, p.Title)
		}
		refs := make(map[string]bool)
		for _, target := range p.Targets {
			require.False(t, refs[target.RefID], p.Title)
			refs[target.RefID] = true
			require.NotEmpty(t, target.LegendFormat, p.Title)
		}
	}
	require.Equal(t, "datasource", d.Templating.List[0].Name)
	require.Equal(t, "pool", d.Templating.List[1].Name)
	require.Contains(t, string(d.Templating.List[1].Query), "label_values(fairpool_capacity, pool)")
}
