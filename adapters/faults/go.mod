module github.com/fairpool/fairpool/adapters/faults

go 1.26.0

replace (
	github.com/fairpool/fairpool => ../..
	github.com/fairpool/fairpool/adapters/pgxfair => ../pgxfair
	github.com/fairpool/fairpool/adapters/sqlfair => ../sqlfair
	github.com/fairpool/fairpool/adapters/throwaway => ../throwaway
)

require (
	github.com/fairpool/fairpool v0.0.0
	github.com/fairpool/fairpool/adapters/pgxfair v0.0.0
	github.com/fairpool/fairpool/adapters/sqlfair v0.0.0
	github.com/fairpool/fairpool/adapters/throwaway v0.0.0
	github.com/jackc/pgx/v5 v5.13.0
)

require (
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/text v0.41.0 // indirect
)
