// Package monitoring has alert rules and a Grafana dashboard for what package
// promfair exports. They are files to be used as they are; its tests run every
// expression in them on the metrics of pools in trouble and of healthy ones. It
// is a module of its own so that others need not have Prometheus itself among
// their requirements.
package monitoring

import _ "embed"

// Alerts are rules for Prometheus, as in alerts.yaml.
//
//go:embed alerts.yaml
var Alerts []byte

// Dashboard is for Grafana, as in dashboard.json. It asks for the data source
// and the pool.
//
//go:embed dashboard.json
var Dashboard []byte
