module github.com/fairpool/fairpool/adapters/adaptfair/compare

go 1.26.0

replace github.com/fairpool/fairpool => ../../..

replace github.com/fairpool/fairpool/adapters/adaptfair => ..

replace github.com/fairpool/fairpool/adapters/grpcfair => ../../grpcfair

replace github.com/fairpool/fairpool/adapters/httpfair => ../../httpfair

replace github.com/fairpool/fairpool/adapters/pgxfair => ../../pgxfair

replace github.com/fairpool/fairpool/adapters/sqlfair => ../../sqlfair

replace github.com/fairpool/fairpool/adapters/throwaway => ../../throwaway

require (
	github.com/failsafe-go/failsafe-go v0.9.8
	github.com/fairpool/fairpool v0.0.0
	github.com/fairpool/fairpool/adapters/adaptfair v0.0.0
	github.com/fairpool/fairpool/adapters/grpcfair v0.0.0
	github.com/fairpool/fairpool/adapters/httpfair v0.0.0
	github.com/fairpool/fairpool/adapters/pgxfair v0.0.0
	github.com/fairpool/fairpool/adapters/sqlfair v0.0.0
	github.com/stretchr/testify v1.12.1
	gonum.org/v1/plot v0.17.0
	google.golang.org/grpc v1.85.0
)

require (
	codeberg.org/go-fonts/liberation v0.5.0 // indirect
	codeberg.org/go-latex/latex v0.2.0 // indirect
	codeberg.org/go-pdf/fpdf v0.11.1 // indirect
	git.sr.ht/~sbinet/gg v0.7.0 // indirect
	github.com/ajstarks/svgo v0.0.0-20211024235047-1546f124cd8b // indirect
	github.com/bits-and-blooms/bitset v1.24.4 // indirect
	github.com/golang/freetype v0.0.0-20170609003504-e2365dfdc4a0 // indirect
	github.com/influxdata/tdigest v0.0.1 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/jackc/pgx/v5 v5.13.0 // indirect
	github.com/jackc/puddle/v2 v2.2.3 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/image v0.30.0 // indirect
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.42.0 // indirect
	google.golang.org/genproto/googleapis/rpc v0.0.0-20260817212433-ac3dfec99bb1 // indirect
	google.golang.org/protobuf v1.36.12 // indirect
)
