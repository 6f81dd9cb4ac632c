package debugfair_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fairpool/fairpool/adapters/debugfair"
	"github.com/fairpool/fairpool/pool"
	"github.com/stretchr/testify/require"
)

// machines is a pool of resources that cost nothing.
func machines(t *testing.T, size int) *pool.Pool[int] {
	t.Helper()
	p, err := pool.New(pool.Config[int]{
		Constructor: func(context.Context) (int, error) { return 0, nil },
		MaxSize:     size,
		Guard:       pool.Guard{LeakAfter: time.Hour},
	})
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

// hold takes so many resources for a tenant until release is called or the test
// ends.
func hold(t *testing.T, p *pool.Pool[int], tenant string, n int) (release func()) {
	t.Helper()
	var leases []pool.Lease[int]
	release = func() {
		for _, l := range leases {
			l.Release()
		}
	}
	t.Cleanup(release)
	for range n {
		l, err := p.Acquire(t.Context(), tenant)
		require.NoError(t, err)
		leases = append(leases, l)
	}
	return release
}

// queue has so many requests of a tenant wait until the test ends or they are
// served.
func queue(t *testing.T, p *pool.Pool[int], tenant string, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	before := p.Stats().Waiting
	for range n {
		all.Go(func() {
			if l, err := p.Acquire(ctx, tenant); err == nil {
				l.Release()
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		all.Wait()
	})
	require.Eventually(t, func() bool { return p.Stats().Waiting >= before+n }, 30*time.Second, time.Millisecond)
}

// cellsOf counts the cells of the pool by what the legend calls their colour.
const cellsOf = `((pool) => {
	const section = [...document.querySelectorAll(".pool")].find((s) => s.querySelector("h2").textContent === pool);
	if (!section) return {};
	const names = {};
	for (const li of section.querySelectorAll(".legend li")) names[li.querySelector("i").className] = li.querySelector("bdi").textContent;
	const n = {};
	for (const cell of section.querySelectorAll(".cells i")) n[names[cell.className]] = (n[names[cell.className]] ?? 0) + 1;
	return n;
})`

// drawn counts the columns of pixels near the right edge of a timeline in which
// the colour of a tenant is.
const drawn = `((pool, chart, tenant) => {
	const section = [...document.querySelectorAll(".pool")].find((s) => s.querySelector("h2").textContent === pool);
	const li = [...section.querySelectorAll(".legend li")].find((l) => l.querySelector("bdi").textContent === tenant);
	if (!li) return 0;
	const [r, g, b] = getComputedStyle(li.querySelector("i")).backgroundColor.match(/\d+/g).map(Number);
	const canvas = section.querySelector("." + chart + " canvas");
	const w = 14, x = canvas.width - w - 6;
	const copy = new OffscreenCanvas(w, canvas.height).getContext("2d", {willReadFrequently: true});
	copy.drawImage(canvas, -x, 0);
	const {data} = copy.getImageData(0, 0, w, canvas.height);
	let columns = 0;
	for (let i = 0; i < w; i++) {
		for (let y = 0; y < canvas.height; y++) {
			const at = 4 * (y * w + i);
			if (data[at] === r && data[at + 1] === g && data[at + 2] === b) { columns++; break; }
		}
	}
	return columns;
})`

func TestCellsAndTimelineFollowALoadWithinASecond(t *testing.T) {
	p := machines(t, 8)
	server := serve(t, newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "machines", Source: p}}}))
	b := openTab(t, 1280, 900, false)
	b.open(server.URL + "/")
	b.eventually(`document.querySelector("#state").textContent === "live" && document.querySelectorAll(".cells i").length === 8`)
	eval[any](b, `document.querySelector("[data-window='60']").click()`)

	var cells, timeline []time.Duration
	for i := range 6 {
		tenant := fmt.Sprintf("tenant-%d", i)
		release := hold(t, p, tenant, 3)
		acquired := time.Now()
		b.eventually(fmt.Sprintf(`%s("machines")[%q] === 3`, cellsOf, tenant))
		cells = append(cells, time.Since(acquired))
		b.eventually(fmt.Sprintf(`%s("machines", "held", %q) > 0`, drawn, tenant))
		timeline = append(timeline, time.Since(acquired))
		release()
		b.eventually(fmt.Sprintf(`%s("machines")[%q] === undefined`, cellsOf, tenant))
	}
	slices.Sort(cells)
	slices.Sort(timeline)
	t.Logf("cells after %v, timeline after %v", cells, timeline)
	require.Less(t, cells[len(cells)/2], time.Second)
	require.Less(t, timeline[len(timeline)/2], time.Second)

	// Waiters too.
	defer hold(t, p, "hog", 8)()
	queue(t, p, "tenant-0", 5)
	b.eventually(fmt.Sprintf(`%s("machines", "waiting", "tenant-0") > 0`, drawn))
	b.eventually(`document.querySelector(".figures").textContent.includes("8 / 8")`)
	require.Contains(t, eval[string](b, `document.querySelector(".legend").innerText.replace(/\s+/g, " ")`), "tenant-0 0 +5 waiting")
	b.requireQuiet()
}

// hostile are names that somebody has thought about.
var hostile = []string{
	`<script>document.title="owned"</script>`,
	`<img src=x onerror="document.title='owned'">`,
	`"><svg onload=document.title='owned'>`,
	"שלום-עולם",
	"evil\u202egpj.exe",
	"a\x00b\x1b[2J\r\nc",
	strings.Repeat("very-long-", 1000),
	strings.Repeat("W", 64),
	"\xff\xfe\xfd",
	"</td></tr></table>",
	"__proto__",
	"",
}

func TestNamesThatMeanHarmAreShownAsText(t *testing.T) {
	p := machines(t, 2*len(hostile))
	for _, name := range hostile {
		defer hold(t, p, name, 1)()
	}
	server := serve(t, newPage(t, debugfair.Config{
		Pools: []debugfair.Pool{{Name: hostile[0], Source: p}, {Name: "__proto__", Source: p}},
		Title: hostile[1],
	}))
	b := openTab(t, 375, 800, false)
	b.open(server.URL + "/")
	b.eventually(fmt.Sprintf(`document.querySelectorAll(".holders tbody tr").length === %d`, 2*len(hostile)))
	time.Sleep(time.Second) // for whatever a name might have begun
	text := eval[string](b, `document.body.textContent`)
	for _, want := range []string{
		hostile[0], hostile[1], hostile[2], hostile[3], `"evil\u202egpj.exe"`, `"a\x00b\x1b[2J\r\nc"`,
		`"\xff\xfe\xfd"`, hostile[9], hostile[10], "(no name)", "very-long-very-long-very-long-ve…",
	} {
		require.Contains(t, text, want)
	}
	require.Equal(t, hostile[1]+" – fairpool", eval[string](b, `document.title`))
	require.Zero(t, eval[int](b, `document.querySelectorAll("main script, main img, main svg").length`))
	require.Equal(t, len(hostile), eval[int](b, `document.querySelector(".tenants tbody").rows.length`))
	b.requireNoSidewaysScroll()
	b.screenshot("hostile-phone")
	b.requireQuiet()
}

func TestThePolicyIsInForce(t *testing.T) {
	_, source := seats(t, 1)
	server := serve(t, newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "seats", Source: source}}}))
	b := openTab(t, 800, 600, false)
	b.open(server.URL + "/")
	b.eventually(`document.querySelector("#state").textContent === "live"`)
	b.requireQuiet()
	require.Equal(t, "TypeError", eval[string](b, `(() => {
		try { document.body.innerHTML = "<b>"; return "done"; } catch (e) { return e.name; }
	})()`), "trusted types")
	require.Equal(t, "blocked", eval[string](b, `new Promise((done) => {
		document.addEventListener("securitypolicyviolation", () => done("blocked"));
		const style = document.createElement("style");
		style.textContent = "body { color: red }";
		document.head.append(style);
		setTimeout(() => done("allowed"), 3000);
	})`))
	require.Equal(t, "blocked", eval[string](b, `fetch("http://127.0.0.1:1/").then(() => "allowed", () => "blocked")`))
	require.NotEmpty(t, b.problems)
}

func TestThePageGoesOnAfterTheServerHasRestarted(t *testing.T) {
	p := machines(t, 4)
	release := hold(t, p, "before", 3)
	start := func(addr string) (stop func(), address string) {
		page := newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "machines", Source: p}}})
		var l net.Listener
		var err error
		require.Eventually(t, func() bool {
			l, err = net.Listen("tcp", addr)
			return err == nil
		}, 20*time.Second, 50*time.Millisecond)
		server := &http.Server{Handler: page}
		go server.Serve(l)
		stop = func() {
			page.Close()
			server.Close()
		}
		t.Cleanup(stop)
		return stop, l.Addr().String()
	}
	stop, addr := start("127.0.0.1:0")
	b := openTab(t, 800, 900, false)
	b.open("http://" + addr + "/")
	b.eventually(fmt.Sprintf(`%s("machines")["before"] === 3`, cellsOf))
	time.Sleep(2 * time.Second) // to have a past

	stop()
	b.eventually(`document.querySelector("#state").textContent === "reconnecting"`)
	require.Equal(t, 3, eval[int](b, cellsOf+`("machines")["before"]`), "what was seen last stays")
	release()
	defer hold(t, p, "after", 2)()
	time.Sleep(3 * time.Second) // longer than one attempt to connect takes

	start(addr)
	t.Log("back after", b.eventually(`document.querySelector("#state").textContent === "live"`))
	b.eventually(fmt.Sprintf(`%s("machines")["after"] === 2`, cellsOf))

	// The past from before the restart is still there to look back on.
	eval[any](b, `document.querySelector("#freeze").click()`)
	b.eventually(`!document.querySelector("#past").hidden`)
	eval[any](b, `(() => {
		const when = document.querySelector("#when");
		when.value = Number(when.min) + 1;
		when.dispatchEvent(new Event("input"));
	})()`)
	b.eventually(fmt.Sprintf(`(%s("machines")["others"] ?? 0) + (%s("machines")["before"] ?? 0) === 3`, cellsOf, cellsOf))
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Empty(t, b.problems, "beside that the server could not be reached")
}

func TestThePageStandsStillAndLooksBack(t *testing.T) {
	p := machines(t, 6)
	server := serve(t, newPage(t, debugfair.Config{Pools: []debugfair.Pool{{Name: "machines", Source: p}}}))
	b := openTab(t, 1280, 900, false)
	b.open(server.URL + "/")
	release := hold(t, p, "early", 5)
	b.eventually(fmt.Sprintf(`%s("machines")["early"] === 5`, cellsOf))
	early := eval[float64](b, `Date.now() / 1000`)
	time.Sleep(5 * time.Second) // a frame is kept every two
	release()
	releaseLate := hold(t, p, "late", 2)
	b.eventually(fmt.Sprintf(`%s("machines")["late"] === 2`, cellsOf))

	eval[any](b, `document.querySelector("#freeze").click()`)
	b.eventually(`document.querySelector("#state").textContent === "frozen" && !document.querySelector("#past").hidden`)
	releaseLate()
	defer hold(t, p, "unseen", 4)()
	time.Sleep(1500 * time.Millisecond)
	require.Equal(t, map[string]int{"late": 2, "idle": 3, "empty": 1}, eval[map[string]int](b, cellsOf+`("machines")`))
	require.NotContains(t, eval[string](b, `document.body.textContent`), "unseen")

	eval[any](b, fmt.Sprintf(`(() => {
		const when = document.querySelector("#when");
		when.value = %f;
		when.dispatchEvent(new Event("input"));
	})()`, early+2.5))
	b.eventually(fmt.Sprintf(`%s("machines")["early"] === 5`, cellsOf))
	b.eventually(`[...document.querySelectorAll(".holders tbody tr")].filter((r) => r.textContent.includes("early")).length === 5`)
	require.Regexp(t, `^\d\d:\d\d:\d\d, .+ before(; tables of \d\d:\d\d:\d\d)?$`, eval[string](b, `document.querySelector("#then").textContent`))

	// A click on a timeline looks back too.
	eval[any](b, `document.querySelector("#freeze").click()`)
	b.eventually(fmt.Sprintf(`%s("machines")["unseen"] === 4`, cellsOf))
	eval[any](b, fmt.Sprintf(`(() => {
		const over = document.querySelector(".held .u-over"), box = over.getBoundingClientRect();
		const x = box.left + box.width * (1 - (Date.now() / 1000 - %f - 2.5) / 180), y = box.top + 20;
		for (const type of ["mousemove", "mousedown", "mouseup", "click"])
			over.dispatchEvent(new MouseEvent(type, {clientX: x, clientY: y, bubbles: true, view: window}));
	})()`, early))
	b.eventually(fmt.Sprintf(`%s("machines")["early"] === 5`, cellsOf))
	require.Equal(t, "Go live", eval[string](b, `document.querySelector("#freeze").textContent`))
	b.screenshot("look-back")
	b.requireQuiet()
}
