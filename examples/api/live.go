package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
	"github.com/charmbracelet/x/term"
)

// A view shows a run until it has ended. It calls stop if the user wants no more.
type view func(t *tally, p proxy, ended <-chan struct{}, stop context.CancelFunc)

// viewFor returns the live picture if there is a terminal to draw it on.
func viewFor(cfg config, out io.Writer) view {
	file, ok := out.(*os.File)
	if ok && term.IsTerminal(os.Stdin.Fd()) && term.IsTerminal(file.Fd()) && os.Getenv("TERM") != "dumb" {
		return liveView(cfg, os.Stdin, file)
	}
	return plainView(out)
}

// liveView draws the picture ten times a second.
func liveView(cfg config, in io.Reader, out io.Writer) view {
	return func(t *tally, p proxy, ended <-chan struct{}, stop context.CancelFunc) {
		program := tea.NewProgram(&picture{config: cfg, tally: t, proxy: p, ended: ended, stop: stop, width: 80},
			tea.WithInput(in), tea.WithOutput(out), tea.WithoutSignalHandler())
		if _, err := program.Run(); err != nil {
			plainView(out)(t, p, ended, stop)
		}
	}
}

// A picture is the bubbletea model. It remembers the accounts of a second ago.
type picture struct {
	config config
	tally  *tally
	proxy  proxy
	ended  <-chan struct{}
	stop   context.CancelFunc
	width  int

	was, is []account
	last    time.Time
	history []int // the capacity in each second, 0 without one
}

type nextFrame struct{}

func tick() tea.Cmd {
	return tea.Tick(100*time.Millisecond, func(time.Time) tea.Msg { return nextFrame{} })
}

func (p *picture) Init() tea.Cmd { return tick() }

func (p *picture) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.width = msg.Width
	case tea.KeyPressMsg:
		if key := msg.String(); key == "ctrl+c" || key == "q" {
			p.stop()
		}
	case nextFrame:
		select {
		case <-p.ended:
			return p, tea.Quit
		default:
		}
		if now := time.Now(); p.is == nil || now.Sub(p.last) >= time.Second {
			p.was, p.is, p.last = p.is, p.tally.now(), now
			p.history = append(p.history, p.proxy.slots().capacity)
		}
		return p, tick()
	}
	return p, nil
}

func (p *picture) View() tea.View {
	v := tea.NewView(strings.Join(p.draw(), "\n"))
	v.AltScreen = true
	return v
}

var (
	strong = lipgloss.NewStyle().Bold(true)
	faint  = lipgloss.NewStyle().Faint(true)
	good   = lipgloss.NewStyle().Foreground(lipgloss.Green)
	bad    = lipgloss.NewStyle().Foreground(lipgloss.Magenta)
)

// draw returns the lines of the picture.
func (p *picture) draw() []string {
	room := max(1, min(p.width, 100)-44)
	lines := []string{
		strong.Render("  "+p.tally.proxy) + faint.Render(fmt.Sprintf("   %.0f of %.0f s   q stops", time.Since(p.tally.begun).Seconds(), p.config.duration.Seconds())),
		"",
		"  " + p.proxy.state(),
		"  " + p.drawSlots(),
		"  " + p.drawHistory(room),
		"",
		faint.Render(fmt.Sprintf("  %-10s %-*s %8s %8s %8s", "tenant", room, "served in the last second", "of", "success", "p99")),
	}
	for tenant := range tenants {
		lines = append(lines, p.drawTenant(tenant, room))
	}
	return append(lines, "", fmt.Sprintf("  the API served %d and refused %d", p.tally.api.served.Load(), p.tally.api.refused.Load()))
}

// drawSlots draws a block for each slot of the fair proxy.
func (p *picture) drawSlots() string {
	s := p.proxy.slots()
	if s.capacity == 0 {
		return faint.Render("no slots: everything goes to the API")
	}
	inUse := min(s.inUse, s.most)
	return good.Render(strings.Repeat("■", inUse)) + strings.Repeat("□", max(0, s.capacity-inUse)) +
		faint.Render(strings.Repeat("·", max(0, s.most-max(s.capacity, inUse))))
}

// drawHistory draws how many slots there were in each second.
func (p *picture) drawHistory(room int) string {
	var b strings.Builder
	most := p.proxy.slots().most
	for _, capacity := range p.history[max(0, len(p.history)-room):] {
		if most > 0 && capacity > 0 {
			b.WriteRune([]rune("▁▂▃▄▅▆▇█")[min(7, 8*capacity/(most+1))])
		}
	}
	return faint.Render(b.String())
}

func (p *picture) drawTenant(tenant, room int) string {
	if p.was == nil {
		return "  " + tenants[tenant]
	}
	s := since(p.is[tenant:tenant+1], p.was[tenant:tenant+1])
	style := good
	if s.sent > 0 && s.success() < 0.9 {
		style = bad
	}
	bar := min(room, len(s.times))
	return fmt.Sprintf("  %-10s ", tenants[tenant]) + style.Render(strings.Repeat("█", bar)) + strings.Repeat(" ", room-bar) +
		fmt.Sprintf(" %8d %7.0f%% %8s", s.sent, 100*p.is[tenant].success(), short(p.is[tenant].quantile(0.99)))
}
