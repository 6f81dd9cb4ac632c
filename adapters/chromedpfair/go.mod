module github.com/fairpool/fairpool/adapters/chromedpfair

go 1.25.0

replace github.com/fairpool/fairpool => ../..

replace github.com/fairpool/fairpool/adapters/throwaway => ../throwaway

require (
	github.com/cenkalti/backoff/v5 v5.0.3
	github.com/chromedp/cdproto v0.159.0
	github.com/chromedp/chromedp v0.23.0
	github.com/fairpool/fairpool v0.0.0-00010101000000-000000000000
	github.com/fairpool/fairpool/adapters/throwaway v0.0.0
	github.com/gofrs/flock v0.12.1
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
)

require (
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.22.0 // indirect
	golang.org/x/sys v0.22.0 // indirect
)
