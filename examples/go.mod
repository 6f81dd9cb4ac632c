module github.com/fairpool/fairpool/examples

go 1.26.0

replace github.com/fairpool/fairpool => ..

replace github.com/fairpool/fairpool/adapters/debugfair => ../adapters/debugfair

replace github.com/fairpool/fairpool/adapters/httpfair => ../adapters/httpfair

require (
	charm.land/bubbletea/v2 v2.1.1
	charm.land/lipgloss/v2 v2.0.6
	github.com/charmbracelet/x/ansi v0.11.9
	github.com/charmbracelet/x/term v0.2.2
	github.com/chromedp/chromedp v0.23.0
	github.com/fairpool/fairpool v0.0.0
	github.com/fairpool/fairpool/adapters/debugfair v0.0.0
	github.com/fairpool/fairpool/adapters/httpfair v0.0.0
	github.com/fairpool/fairpool/adapters/pgxfair v0.0.0-00010101000000-000000000000
	github.com/fairpool/fairpool/adapters/throwaway v0.0.0
	github.com/jackc/pgx/v5 v5.13.0
	github.com/jackc/puddle/v2 v2.2.3
	github.com/redis/go-redis/v9 v9.23.0
	github.com/stretchr/testify v1.12.1
	go.uber.org/goleak v1.3.0
	golang.org/x/sync v0.24.0
	golang.org/x/time v0.16.0
	modernc.org/sqlite v1.61.1
)

require (
	github.com/cenkalti/backoff/v5 v5.0.3 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/chromedp/cdproto v0.159.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/gofrs/flock v0.12.1 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	golang.org/x/text v0.41.0 // indirect
)

require (
	github.com/charmbracelet/colorprofile v0.4.3 // indirect
	github.com/charmbracelet/ultraviolet v0.0.0-20261008173134-6b8d4baf91b4 // indirect
	github.com/charmbracelet/x/termios v0.1.1 // indirect
	github.com/charmbracelet/x/windows v0.2.2 // indirect
	github.com/clipperhouse/displaywidth v0.11.0 // indirect
	github.com/clipperhouse/uax29/v2 v2.7.0 // indirect
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/fairpool/fairpool/adapters/chromedpfair v0.0.0-00010101000000-000000000000
	github.com/fairpool/fairpool/adapters/fleet v0.0.0
	github.com/fairpool/fairpool/adapters/pgfleet v0.0.0
	github.com/fairpool/fairpool/adapters/redisfleet v0.0.0
	github.com/google/uuid v1.6.0 // indirect
	github.com/lucasb-eyer/go-colorful v1.4.1 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/mattn/go-runewidth v0.0.30 // indirect
	github.com/muesli/cancelreader v0.2.2 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/xo/terminfo v1.0.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/sys v0.49.0 // indirect
	modernc.org/libc v1.79.0 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)

replace github.com/fairpool/fairpool/adapters/chromedpfair => ../adapters/chromedpfair

replace github.com/fairpool/fairpool/adapters/pgxfair => ../adapters/pgxfair

replace github.com/fairpool/fairpool/adapters/throwaway => ../adapters/throwaway

replace github.com/fairpool/fairpool/adapters/fleet => ../adapters/fleet

replace github.com/fairpool/fairpool/adapters/redisfleet => ../adapters/redisfleet

replace github.com/fairpool/fairpool/adapters/pgfleet => ../adapters/pgfleet
