module github.com/fairpool/fairpool/adapters/adaptfair

go 1.25.0

replace github.com/fairpool/fairpool => ../..

require (
	github.com/fairpool/fairpool v0.0.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
)

require (
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.22.0 // indirect
)
