// The slots as a row of cells, grouped by who holds them.

import {colors} from "./history.js";
import {count, tenant} from "./format.js";

const most = 1024; // cells; beyond it one stands for several slots

// parts is what the slots are at a moment, in the order of the cells.
export function parts(m, owns) {
	const all = [];
	m.held.forEach((n, c) => {
		if (n) all.push({kind: c < colors ? `c${c}` : "others", name: c < colors ? tenant(m.labels[c]) : "others", n});
	});
	const held = m.held.reduce((a, b) => a + b, 0);
	const rest = Math.max(0, m.capacity - held - m.idle - m.building - m.moving);
	for (const [kind, name, n] of [["building", "building", m.building], ["moving", "checked or destroyed", m.moving],
		["idle", "idle", m.idle], ["cold", owns ? "empty" : "free", rest]]) {
		if (n) all.push({kind, name, n});
	}
	return all;
}

export class Cells {
	shown = []; // kind of each cell
	parts = [];
	each = 1;

	constructor(element) {
		this.element = element;
		element.addEventListener("pointermove", (e) => {
			const i = Array.prototype.indexOf.call(element.children, e.target);
			element.title = i < 0 ? "" : this.describe(i);
		});
	}

	describe(i) {
		let n = i * this.each;
		for (const p of this.parts) {
			if (n < p.n) return `${p.name}: ${count(p.n)}`;
			n -= p.n;
		}
		return "";
	}

	show(all) {
		this.parts = all;
		const total = all.reduce((sum, p) => sum + p.n, 0);
		this.each = Math.max(1, Math.ceil(total / most));
		const kinds = [];
		let begin = 0;
		for (const p of all) {
			// A cell shows what the first of its slots is.
			for (let i = Math.ceil(begin / this.each); i * this.each < begin + p.n; i++) kinds[i] = p.kind;
			begin += p.n;
		}
		const e = this.element;
		while (e.children.length > kinds.length) e.lastChild.remove();
		while (e.children.length < kinds.length) e.append(document.createElement("i"));
		for (let i = 0, cell = e.firstChild; i < kinds.length; i++, cell = cell.nextSibling) {
			if (this.shown[i] !== kinds[i]) cell.className = kinds[i];
		}
		this.shown = kinds;
		const size = kinds.length <= 48 ? "large" : kinds.length <= 240 ? "medium" : "small";
		if (e.dataset.size !== size) e.dataset.size = size;
		const text = all.map((p) => `${p.name} ${p.n}`).join(", ");
		if (e.getAttribute("aria-label") !== text) e.setAttribute("aria-label", text);
	}
}
