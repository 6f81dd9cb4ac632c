// A stacked timeline, by uPlot.

import {colors} from "./history.js";
import {clock, minute, count} from "./format.js";

const uPlot = globalThis.uPlot;
const stepped = uPlot.paths.stepped({align: 1});

export const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// color is that of a column.
const color = (c) => style(c < colors ? `--c${c}` : "--others");

export class Chart {
	// handler has hover(time or null) and pick(time). limit is whether the
	// capacity is drawn.
	constructor(element, {height, limit, handler}) {
		this.element = element;
		this.height = height;
		this.limit = limit;
		this.handler = handler;
		this.visible = true;
		this.pinned = null;
		this.build();
		new ResizeObserver(() => {
			const width = element.clientWidth;
			if (width > 0 && width !== this.plot.width) this.plot.setSize({width, height});
		}).observe(element);
		// What nobody sees is not drawn.
		new IntersectionObserver((entries) => {
			this.visible = entries[entries.length - 1].isIntersecting;
			if (this.visible && this.pending) this.draw(...this.pending);
		}, {rootMargin: "100px"}).observe(element);
	}

	build() {
		this.plot?.destroy();
		const grid = {stroke: style("--grid"), width: 1};
		const font = "11px system-ui, sans-serif";
		const axis = {stroke: style("--faint"), font, grid, ticks: {show: false}};
		const series = [{}];
		for (let c = colors; c >= 0; c--) {
			series.push({fill: color(c), width: 0, paths: stepped, points: {show: false}});
		}
		if (this.limit) {
			series.push({stroke: style("--limit"), width: 1, dash: [4, 3], paths: stepped, points: {show: false}});
		}
		const chart = this;
		this.plot = new uPlot({
			width: this.element.clientWidth || 300,
			height: this.height,
			series,
			legend: {show: false},
			padding: [6, 4, 0, 0],
			cursor: {
				y: false,
				sync: {key: "fairpool"},
				drag: {x: false, y: false},
				points: {show: false},
				bind: {
					mouseleave: (u, target, handler) => (e) => { handler(e); chart.handler.hover(null); return null; },
				},
			},
			hooks: {
				setCursor: [(u) => { if (u.cursor.left >= 0 && u.cursor.event) chart.handler.hover(u.posToVal(u.cursor.left, "x")); }],
				draw: [(u) => chart.pin(u)],
			},
			scales: {
				x: {time: true},
				y: {range: (u, min, max) => [0, Math.max(1, max) * 1.04]},
			},
			axes: [
				{...axis, size: 22, gap: 4, space: 70, values: (u, splits, i, space, step) => splits.map((t) => u.valToPos(t, "x") > u.width - 64 ? "" : step % 60 ? clock(t) : minute(t))},
				{...axis, size: 40, gap: 4, space: 24, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 1e6, 1e7],
					values: (u, splits) => splits.map(count)},
			],
		}, null, this.element);
		const {over} = this.plot;
		over.addEventListener("click", (e) => chart.handler.pick(this.plot.posToVal(e.clientX - over.getBoundingClientRect().left, "x")));
		if (this.pending) this.draw(...this.pending);
	}

	// pin draws a line at the time that is looked at.
	pin(u) {
		if (this.pinned === null) return;
		const x = Math.round(u.valToPos(this.pinned, "x", true)) + 0.5;
		const {left, top, width, height} = u.bbox;
		if (x < left || x > left + width) return;
		u.ctx.save();
		u.ctx.strokeStyle = style("--text");
		u.ctx.lineWidth = devicePixelRatio;
		u.ctx.beginPath();
		u.ctx.moveTo(x, top);
		u.ctx.lineTo(x, top + height);
		u.ctx.stroke();
		u.ctx.restore();
	}

	// draw shows the columns of a kind from one time to another, and where
	// pinned is a time, a line there.
	draw(at, stacks, capacity, from, to, pinned) {
		this.pending = [at, stacks, capacity, from, to, pinned];
		if (!this.visible) return;
		this.pinned = pinned;
		this.plot.setData(data(at, stacks, this.limit ? capacity : null, from, to), false);
		this.plot.setScale("x", {min: from, max: to});
		this.pending = null;
		this.last = [at, stacks, capacity, from, to, pinned];
	}

	// restyle draws it again in the present colours.
	restyle() {
		this.pending = this.pending ?? this.last;
		this.build();
	}
}

// data is columns as uPlot stacks them: each is the sum of those up to it, the
// greatest, which is drawn first, first. Where moments are missing, so are lines.
function data(at, stacks, capacity, from, to) {
	let first = at.length;
	while (first > 0 && at[first - 1] >= from) first--;
	if (first > 0) first--; // what holds at the left edge
	const x = [], sums = stacks.map(() => []), limit = [];
	for (let i = first; i < at.length && (i === first || at[i] <= to); i++) {
		if (x.length && at[i] - at[i - 1] > gap(at, i)) {
			x.push(at[i - 1] + 0.001);
			sums.forEach((s) => s.push(null));
			limit.push(null);
		}
		x.push(at[i]);
		let sum = 0;
		const there = capacity === null || capacity[i] !== null;
		for (let c = 0; c < stacks.length; c++) sums[c].push(there ? sum += stacks[c][i] ?? 0 : null);
		if (capacity) limit.push(capacity[i]);
	}
	if (x.length && x[x.length - 1] < to && to - at[at.length - 1] < 5) {
		// The last moment lasts until the next.
		x.push(to);
		sums.forEach((s) => s.push(s[s.length - 1]));
		limit.push(limit[limit.length - 1] ?? null);
	}
	const all = [x, ...sums.reverse()];
	if (capacity) all.push(limit);
	return all;
}

// gap is for how long a moment may last: the server looks less often while
// nobody does, and when it has a lot to look at.
function gap(at, i) {
	const before = i > 1 ? at[i - 1] - at[i - 2] : 0;
	return Math.max(5, 4 * before);
}
