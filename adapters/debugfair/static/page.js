// The page: what comes from the server, what is looked at, and showing it.

import {History} from "./history.js";
import {PoolView} from "./pool.js";
import {Stream} from "./stream.js";
import {clock, span} from "./format.js";
import {write} from "./table.js";

const $ = (id) => document.getElementById(id);
const history = new History();
const views = new Map();

let latest = null; // the last frame
let came = 0; // when, by performance.now
let connected = false;
let shownTime = 180; // seconds
let frozen = null; // the frame at which the page stands still
let picked = null; // a time that is looked back on, in seconds
let hovered = null; // the same, as long as the pointer is there
let recalled = null; // the frame of the picked time

new Stream({
	backlog(b) {
		history.backlog(b);
		take(b.frame);
	},
	frame(f) {
		history.frame(f, !frozen);
		take(f);
	},
	lost() {
		connected = false;
		showState();
	},
}).open();

function take(f) {
	connected = true;
	came = performance.now();
	latest = f;
	write($("title"), f.title);
	document.title = `${f.title} – fairpool`;
	showState();
	if (!frozen) draw();
}

// draw shows everything when the browser is ready to.
let drawing = false;
function draw() {
	if (drawing) return;
	drawing = true;
	requestAnimationFrame(() => {
		drawing = false;
		const begin = performance.now();
		show();
		performance.clearMeasures("update");
		performance.measure("update", {start: begin, end: performance.now()});
	});
}

function show() {
	if (!latest) return;
	const names = latest.pools.map((p) => p.name);
	for (const [name, view] of views) {
		if (!names.includes(name)) {
			view.remove();
			views.delete(name);
		}
	}
	for (const name of names) {
		if (!views.has(name)) views.set(name, new PoolView(name, handler));
	}
	const [from, to] = range();
	for (const view of views.values()) view.showCharts(history, from, to, picked);
	showMoments();
	const frame = recalled ?? frozen ?? latest;
	for (const p of frame.pools) views.get(p.name)?.showTables(p);
	document.body.classList.toggle("elsewhen", picked !== null && recalled === null);
	showPast();
}

// range is the time shown. The last moment lasts until the next is expected.
function range() {
	const f = frozen ?? latest;
	const now = (f.at + Math.min(f.every, 2000)) / 1000;
	if (picked !== null && picked < now - shownTime) return [picked - shownTime / 2, picked + shownTime / 2];
	return [now - shownTime, now];
}

// showMoments shows what was at the time that is looked at.
function showMoments() {
	const time = hovered ?? picked ?? (frozen ?? latest).at / 1000;
	const i = history.index(time);
	for (const p of latest.pools) {
		views.get(p.name)?.showMoment(history.moment(p.name, i), p.maxSize > 0);
	}
}

const handler = {
	hover(time) {
		if (time === hovered) return;
		hovered = time;
		showState();
		requestAnimationFrame(showMoments);
	},
	pick(time) {
		freeze(true);
		look(time);
	},
};

function freeze(on) {
	frozen = on ? frozen ?? latest : null;
	picked = recalled = null;
	$("freeze").setAttribute("aria-pressed", String(on));
	write($("freeze"), on ? "Go live" : "Freeze");
	showState();
	draw();
}

// look looks back on a time.
function look(time) {
	const now = frozen.at / 1000;
	picked = time >= now ? null : time;
	recalled = null;
	showState();
	draw();
	recall();
}

// recall asks the server for what else there was at the picked time. Only one
// request is under way; the last time asked for counts.
let recalling = false;
async function recall() {
	if (recalling) return;
	recalling = true;
	for (let time; (time = picked) !== null && recalled === null;) {
		try {
			const response = await fetch(`./?format=json&at=${Math.round(time * 1000)}`);
			const frame = await response.json();
			if (time !== picked) continue;
			if (Math.abs(frame.at / 1000 - time) > 6) break; // it is no more
			recalled = frame;
			draw();
		} catch {
			break; // the server is away: the tables stay dim
		}
	}
	recalling = false;
}

function showPast() {
	$("past").hidden = !frozen;
	if (!frozen) return;
	const when = $("when"), now = frozen.at / 1000;
	when.max = now;
	when.min = Math.max(history.at[0] ?? now, now - 600);
	when.value = picked ?? now;
	when.setAttribute("aria-valuetext", clock(picked ?? now));
	let text = clock(picked ?? now);
	if (picked !== null) text += `, ${span((now - picked) * 1000)} before`;
	if (recalled && clock(recalled.at / 1000) !== clock(picked)) text += `; tables of ${clock(recalled.at / 1000)}`;
	write($("then"), text);
}

function showState() {
	const e = $("state");
	const silent = performance.now() - came;
	let state = "live", text = "live";
	if (!connected) [state, text] = latest ? ["lost", "reconnecting"] : ["connecting", "connecting"];
	else if (silent > 3 * latest.every + 2000) [state, text] = ["lost", `no news for ${span(silent)}`];
	else if (hovered !== null) [state, text] = ["frozen", clock(hovered)];
	else if (frozen) [state, text] = ["frozen", "frozen"];
	if (e.dataset.state !== state) e.dataset.state = state;
	write(e, text);
}
setInterval(showState, 1000);

$("freeze").addEventListener("click", () => latest && freeze(!frozen));
$("when").addEventListener("input", (e) => look(Number(e.target.value)));
for (const button of document.querySelectorAll("[data-window]")) {
	button.addEventListener("click", () => {
		shownTime = Number(button.dataset.window);
		for (const b of document.querySelectorAll("[data-window]")) b.setAttribute("aria-pressed", String(b === button));
		draw();
	});
}
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
	for (const view of views.values()) view.restyle();
});
