module github.com/fairpool/fairpool/adapters/httpfair

go 1.25.0

replace github.com/fairpool/fairpool => ../..

require github.com/fairpool/fairpool v0.0.0

require (
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	golang.org/x/sync v0.22.0 // indirect
)
