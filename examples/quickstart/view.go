package main

import (
	"fmt"
	"image/color"
	"io"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"
)

// liveView draws the picture ten times a second.
func liveView(in io.Reader, out io.Writer) view {
	return func(st *stage, stop func()) {
		p := tea.NewProgram(picture{stage: st, stop: stop},
			tea.WithInput(in), tea.WithOutput(out), tea.WithoutSignalHandler())
		if _, err := p.Run(); err != nil {
			plainView(out)(st, stop)
		}
	}
}

// picture is the bubbletea model: what it shows is on the stage.
type picture struct {
	stage *stage
	stop  func()

	width, height int
}

type nextFrame struct{}

func tick() tea.Cmd {
	return tea.Tick(100*time.Millisecond, func(time.Time) tea.Msg { return nextFrame{} })
}

func (p picture) Init() tea.Cmd { return tick() }

func (p picture) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		p.width, p.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		if key := msg.String(); key == "ctrl+c" || key == "q" {
			p.stop()
		}
	case nextFrame:
		select {
		case <-p.stage.ended:
			return p, tea.Quit
		default:
			return p, tick()
		}
	}
	return p, nil
}

func (p picture) View() tea.View {
	lines := append([]string{""}, p.draw(min(p.width, 104)-4)...)
	if len(lines) > p.height {
		lines = slices.DeleteFunc(lines, func(line string) bool { return line == "" })
	}
	v := tea.NewView(lipgloss.NewStyle().MarginLeft(2).Render(strings.Join(lines, "\n")))
	v.AltScreen = true
	return v
}

// The colours are those of the terminal's own theme, so that they suit a light
// background as well as a dark one.
var (
	colours = []color.Color{lipgloss.Magenta, lipgloss.Blue, lipgloss.Cyan, lipgloss.Green, lipgloss.Yellow}
	strong  = lipgloss.NewStyle().Bold(true)
	faint   = lipgloss.NewStyle().Faint(true)
)

func colour(tenant int) lipgloss.Style { return lipgloss.NewStyle().Foreground(colours[tenant]) }

// draw returns the lines of the picture for a width of so many columns.
func (p picture) draw(width int) []string {
	preparing, runs := p.stage.scene()
	cfg := p.stage.config
	title := strong.Render("fairpool quickstart")
	if about := fmt.Sprintf("  %d SQLite connections, %d tenants", cfg.connections, len(tenants)); lipgloss.Width(title+about) <= width {
		title += faint.Render(about)
	}
	if len(runs) == 0 {
		return []string{title, "", preparing}
	}
	t := runs[len(runs)-1]
	at, moments := t.now()
	lines := []string{
		title, "",
		drawProgress(width, len(runs), len(contenders)*cfg.rounds, t.pool, at, cfg.duration), "",
		faint.Render("who holds a connection"),
		drawConnections(width, cfg.connections, moments), "",
	}
	lines = append(lines, drawTenants(width, cfg.queries, moments)...)
	lines = append(lines, "")
	for _, done := range runs[max(0, len(runs)-1-len(contenders)) : len(runs)-1] {
		lines = append(lines, lipgloss.Wrap(summary(done), width, ""))
	}
	return append(lines, faint.Render("q stops"))
}

func drawProgress(width, run, runs int, pool string, at, of time.Duration) string {
	label := fmt.Sprintf("run %d of %d: %-14s", run, runs, pool)
	room := max(0, width-len(label)-9)
	done := int(float64(room) * min(1, at.Seconds()/of.Seconds()))
	return strong.Render(label) + " " + strings.Repeat("━", done) + faint.Render(strings.Repeat("─", room-done)) +
		fmt.Sprintf("%6.1f s", at.Seconds())
}

// drawConnections draws a block for each connection, with the name of the
// tenant that holds it. One that is free while somebody waits is just changing
// hands: the goroutine that was granted it has yet to run.
func drawConnections(width, connections int, moments []moment) string {
	block := lipgloss.NewStyle().Width(min(11, max(1, (width+1)/connections-1))).MaxHeight(1).Align(lipgloss.Center)
	var blocks []string
	rest := "free"
	for tenant, m := range moments {
		if m.waiting > 0 {
			rest = "handoff"
		}
		for range m.held {
			blocks = append(blocks, block.Inherit(colour(tenant)).Reverse(true).Render(tenants[tenant]))
		}
	}
	for len(blocks) < connections {
		blocks = append(blocks, block.Faint(true).Render(rest))
	}
	return strings.Join(blocks, " ")
}

// drawTenants draws a line for each tenant; the bar is the length of its queue.
func drawTenants(width, longest int, moments []moment) []string {
	room := max(1, width-37)
	queue := "who waits"
	if len(queue) > room {
		queue = ""
	}
	lines := []string{faint.Render(fmt.Sprintf("%-8s%5s  %-*s%6s%9s%7s", "tenant", "holds", room, queue, "waits", "longest", "done"))}
	for tenant, m := range moments {
		bar := min(room, (m.waiting*room+longest-1)/longest)
		wait := ""
		if m.waiting > 0 {
			wait = short(m.longest)
		}
		lines = append(lines, colour(tenant).Render(fmt.Sprintf("%-8s", tenants[tenant]))+
			fmt.Sprintf("%5d  ", m.held)+
			colour(tenant).Render(strings.Repeat("█", bar))+strings.Repeat(" ", room-bar)+
			fmt.Sprintf("%6d%9s%7d", m.waiting, wait, m.done))
	}
	return lines
}
