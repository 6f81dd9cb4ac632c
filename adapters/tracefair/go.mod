module github.com/fairpool/fairpool/adapters/tracefair

go 1.26.0

replace github.com/fairpool/fairpool => ../..

require (
	github.com/fairpool/fairpool v0.0.0
	github.com/stretchr/testify v1.12.1
	golang.org/x/exp v0.0.0-20261113113407-e3970619a1a4
)

require (
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sync v0.24.0 // indirect
)
