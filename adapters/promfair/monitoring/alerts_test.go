package monitoring_test

import (
	"log/slog"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/promfair/monitoring"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/stretchr/testify/require"
)

func rules(t testing.TB) []rulefmt.Rule {
	groups, errs := rulefmt.Parse(monitoring.Alerts, false, model.UTF8Validation, promQL, slog.New(slog.DiscardHandler))
	require.Empty(t, errs)
	require.Len(t, groups.Groups, 1)
	return groups.Groups[0].Rules
}

// firing are the alerts that fire at some time in the course of a history.
func firing(t testing.TB, h *history) (all []string) {
	for _, rule := range rules(t) {
		if fires(t, h, rule) {
			all = append(all, rule.Alert)
		}
	}
	return all
}

// fires reports whether the expression has a result, with the same labels, in
// all evaluations within the time for which it has to.
func fires(t testing.TB, h *history, rule rulefmt.Rule) bool {
	for _, series := range h.run(t, rule.Expr, h.last.Add(-time.Hour)) {
		var since, before int64
		for _, point := range series.Floats {
			if point.T-before != step.Milliseconds() {
				since = point.T
			}
			before = point.T
			if point.T-since >= time.Duration(rule.For).Milliseconds() {
				return true
			}
		}
	}
	return false
}

func TestAlertsFireWhenTheyShouldAndElseNot(t *testing.T) {
	for name, s := range scenarios {
		t.Run(name, func(t *testing.T) {
			require.ElementsMatch(t, s.alerts, firing(t, playOnce(t, name)))
		})
	}
}

func TestEveryAlertHasAScenario(t *testing.T) {
	provoked := make(map[string]bool)
	for _, s := range scenarios {
		for _, alert := range s.alerts {
			provoked[alert] = true
		}
	}
	var all []string
	for _, rule := range rules(t) {
		all = append(all, rule.Alert)
		require.NotEmpty(t, rule.Labels["severity"], rule.Alert)
		require.NotEmpty(t, rule.Annotations["summary"], rule.Alert)
		require.NotEmpty(t, rule.Annotations["description"], rule.Alert)
	}
	require.ElementsMatch(t, all, slices.Collect(maps.Keys(provoked)))
}
