package monitoring_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
	"github.com/prometheus/prometheus/tsdb/chunks"
	"github.com/prometheus/prometheus/util/annotations"
	"github.com/stretchr/testify/require"
)

// A history is what Prometheus would know after some scrapes.
type history struct {
	series map[uint64]*line
	last   time.Time
}

type line struct {
	labels  labels.Labels
	samples []chunks.Sample
}

// A sample is a number or a native histogram.
type sample struct {
	t int64
	f float64
	h *histogram.FloatHistogram
}

func (s sample) T() int64                      { return s.t }
func (s sample) ST() int64                     { return 0 }
func (s sample) F() float64                    { return s.f }
func (s sample) H() *histogram.Histogram       { return nil }
func (s sample) FH() *histogram.FloatHistogram { return s.h }
func (s sample) Copy() chunks.Sample           { return s }
func (s sample) Type() chunkenc.ValueType {
	if s.h != nil {
		return chunkenc.ValFloatHistogram
	}
	return chunkenc.ValFloat
}

// scrape encodes what there is in the format of a scrape, and reads that as
// Prometheus does.
func (h *history) scrape(t testing.TB, from prometheus.Gatherer) {
	families, err := from.Gather()
	require.NoError(t, err)
	var b bytes.Buffer
	encoder := expfmt.NewEncoder(&b, expfmt.NewFormat(expfmt.TypeProtoDelim))
	for _, f := range families {
		require.NoError(t, encoder.Encode(f))
	}
	h.last = time.Now()
	p := textparse.NewProtobufParser(b.Bytes(), false, false, false, false, labels.NewSymbolTable())
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		require.NoError(t, err)
		s := sample{t: h.last.UnixMilli()}
		switch entry {
		case textparse.EntrySeries:
			_, _, s.f = p.Series()
		case textparse.EntryHistogram:
			_, _, own, float := p.Histogram()
			require.Nil(t, float)
			s.h = own.ToFloat(nil)
		default:
			continue
		}
		var l labels.Labels
		p.Labels(&l)
		if h.series == nil {
			h.series = make(map[uint64]*line)
		}
		known := h.series[l.Hash()]
		if known == nil {
			known = &line{labels: l}
			h.series[l.Hash()] = known
		}
		known.samples = append(known.samples, s)
	}
}

func (h *history) names() map[string]bool {
	all := make(map[string]bool)
	for _, s := range h.series {
		all[s.labels.Get("__name__")] = true
	}
	return all
}

// Querier makes a history a storage.Queryable.
func (h *history) Querier(mint, maxt int64) (storage.Querier, error) {
	return querier{h, mint, maxt}, nil
}

type querier struct {
	*history
	mint, maxt int64
}

func (q querier) Select(_ context.Context, _ bool, _ *storage.SelectHints, matchers ...*labels.Matcher) storage.SeriesSet {
	var found []storage.Series
	for _, s := range q.series {
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.labels.Get(m.Name)) }) {
			var within []chunks.Sample
			for _, one := range s.samples {
				if one.T() >= q.mint && one.T() <= q.maxt {
					within = append(within, one)
				}
			}
			found = append(found, storage.NewListSeries(s.labels, within))
		}
	}
	slices.SortFunc(found, func(a, b storage.Series) int { return labels.Compare(a.Labels(), b.Labels()) })
	return &set{found, -1}
}

func (q querier) LabelValues(context.Context, string, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (q querier) LabelNames(context.Context, *storage.LabelHints, ...*labels.Matcher) ([]string, annotations.Annotations, error) {
	return nil, nil, nil
}

func (q querier) Close() error { return nil }

type set struct {
	all []storage.Series
	at  int
}

func (s *set) Next() bool                        { s.at++; return s.at < len(s.all) }
func (s *set) At() storage.Series                { return s.all[s.at] }
func (s *set) Err() error                        { return nil }
func (s *set) Warnings() annotations.Annotations { return nil }

const step = 15 * time.Second

var promQL = parser.NewParser(parser.Options{})

// run evaluates an expression at each scrape, from start on.
func (h *history) run(t testing.TB, expression string, start time.Time) promql.Matrix {
	engine := promql.NewEngine(promql.EngineOpts{
		MaxSamples: 1e7, Timeout: time.Minute, LookbackDelta: 5 * time.Minute, Parser: promQL,
	})
	defer engine.Close()
	query, err := engine.NewRangeQuery(context.Background(), h, nil, expression, start, h.last, step)
	require.NoError(t, err, expression)
	defer query.Close()
	result := query.Exec(context.Background())
	require.NoError(t, result.Err, expression)
	require.Empty(t, result.Warnings, expression)
	matrix, err := result.Matrix()
	require.NoError(t, err)
	for i := range matrix { // the engine uses them again
		matrix[i].Floats = slices.Clone(matrix[i].Floats)
	}
	return matrix
}
