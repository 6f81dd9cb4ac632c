module github.com/fairpool/fairpool/adapters/chromedpfair

go 1.25.0

replace github.com/fairpool/fairpool => ../..

require github.com/stretchr/testify v1.12.1

require go.yaml.in/yaml/v3 v3.0.5 // indirect
