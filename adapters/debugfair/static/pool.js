// One pool of the page.

import {Cells, parts} from "./cells.js";
import {Chart} from "./chart.js";
import {colors} from "./history.js";
import {Table, element, pairs, write} from "./table.js";
import {count, decimal, missing, rate, span, tenant} from "./format.js";

const others = {others: true};

export class PoolView {
	constructor(name, handler) {
		this.name = name;
		const section = document.getElementById("pool").content.cloneNode(true).firstElementChild;
		this.section = section;
		const find = (s) => section.querySelector(s);
		find("h2 bdi").textContent = name;
		section.setAttribute("aria-label", name);
		this.figures = find(".figures");
		this.warnings = find(".warnings");
		this.legend = find(".legend");
		this.facts = find(".facts");
		this.tenantCount = find(".tenants small");
		this.holderCount = find(".holders small");
		this.holderTable = find(".holders");
		this.tables = find(".tables");
		this.cells = new Cells(find(".cells"));
		document.getElementById("pools").append(section);
		this.held = new Chart(find(".held"), {height: 150, limit: true, handler});
		this.waiting = new Chart(find(".waiting"), {height: 90, limit: false, handler});
		this.tenants = tenantTable(find(".tenants table"), this);
		this.holders = holderTable(find(".holders table"), this);
		this.capacity = 1;
		this.labels = [];
	}

	// color is the class of a tenant's colour.
	color(name) {
		const c = this.labels.indexOf(name);
		return c < 0 ? "others" : `c${c}`;
	}

	// showMoment shows a moment in figures, cells and legend.
	showMoment(m, owns) {
		this.section.classList.toggle("absent", !m);
		if (!m) return;
		this.labels = m.labels;
		const sum = (column) => column.reduce((a, b) => a + b, 0);
		const held = sum(m.held), waiting = sum(m.waiting);
		const waits = m.p50 === null && m.p99 === null
			? [["mean wait", span(m.mean)]]
			: [["wait p50", span(m.p50)], ["p99", span(m.p99)]];
		pairs(this.figures, [
			["held", `${count(held)} / ${count(m.capacity)}`],
			["waiting", count(waiting)],
			["oldest", waiting ? span(m.oldest) : missing],
			["fairness", decimal(m.fairness, 2), m.fairness !== null && m.fairness < 0.8 ? "low" : ""],
			...waits,
			["granted/s", rate(m.rate)],
		]);
		const all = parts(m, owns);
		this.cells.show(all);
		this.showLegend(m, all);
	}

	// showLegend names everybody with a colour who has been here, so that the
	// names do not come and go.
	showLegend(m, all) {
		const entries = [];
		m.labels.forEach((label, c) => {
			if (label !== "" && this.present?.[c]) entries.push([`c${c}`, tenant(label), m.held[c], m.waiting[c]]);
		});
		if (this.present?.[colors]) entries.push(["others", "others", m.held[colors], m.waiting[colors]]);
		for (const p of all) {
			if (!/^(c\d|others)$/.test(p.kind)) entries.push([p.kind, p.name, p.n, 0]);
		}
		const list = this.legend;
		while (list.children.length > entries.length) list.lastChild.remove();
		entries.forEach(([kind, name, n, waiting], i) => {
			let li = list.children[i];
			if (!li) {
				li = element("li");
				li.append(element("i"), element("bdi"), element("b"), element("span"));
				list.append(li);
			}
			const [swatch, text, number, queue] = li.children;
			if (swatch.className !== kind) swatch.className = kind;
			write(text, name);
			text.title = name;
			write(number, count(n));
			write(queue, waiting ? `+${count(waiting)} waiting` : "");
		});
	}

	// showCharts shows the time from one to another.
	showCharts(history, from, to, pinned) {
		const c = history.pools.get(this.name);
		const begin = Math.max(0, history.index(from));
		this.present = c.held.map((column, i) => column.some((n, k) => k >= begin && (n || c.waiting[i][k])));
		this.held.draw(history.at, c.held, c.capacity, from, to, pinned);
		this.waiting.draw(history.at, c.waiting, c.capacity, from, to, pinned);
	}

	// showTables shows the rest of a frame.
	showTables(p) {
		this.capacity = Math.max(1, p.now.capacity);
		const list = this.warnings;
		while (list.children.length > p.warnings.length) list.lastChild.remove();
		p.warnings.forEach((text, i) => write(list.children[i] ?? list.appendChild(element("li")), text));
		const facts = [...p.figures];
		if (p.maxSize > p.now.capacity) facts.push(["at most", count(p.maxSize)]);
		facts.push(["mean hold", span(p.horizon)], ...p.counts);
		pairs(this.facts, facts);
		write(this.tenantCount, count(p.tenants));
		this.tenants.show(p.others.tenants > 0 ? [...p.rows, {...others, ...p.others}] : p.rows);
		this.holderTable.hidden = p.maxSize === 0;
		write(this.holderCount, p.leases > p.holders.length ? `${p.holders.length} longest of ${count(p.leases)}` : count(p.leases));
		this.holders.show(p.holders.map((h) => ({...h, text: h.stack >= 0 ? p.stacks[h.stack] : ""})));
	}

	restyle() {
		this.held.restyle();
		this.waiting.restyle();
	}

	remove() {
		this.held.plot.destroy();
		this.waiting.plot.destroy();
		this.section.remove();
	}
}

// name adds to a cell what shows a tenant.
function nameCell(cell) {
	cell.append(element("i"), element("bdi"));
}

function showName(cell, view, name) {
	const [swatch, text] = cell.children;
	const kind = view.color(name);
	if (swatch.className !== kind) swatch.className = kind;
	write(text, tenant(name));
	if (cell.title !== name) cell.title = name;
}

function share(r) {
	const all = [decimal(r.weight, 3).replace(/\.?0+$/, "")];
	if (r.min) all.push(`min ${r.min}`);
	if (r.cap) all.push(`max ${r.cap}`);
	return all.join(", ");
}

function tenantTable(table, view) {
	const or = (fn) => (r) => r.others ? "" : fn(r);
	return new Table(table, {
		id: (r) => r.others ? "" : r.name,
		last: (r) => r.others,
		columns: [
			{title: "tenant", type: "name", key: (r) => r.name},
			{title: "held", type: "bar", hint: "The mark is what the tenant is entitled to", key: (r) => r.held},
			{title: "entitled", type: "number wide", hint: "Slots that would be the tenant's by weighted max-min fairness", key: (r) => r.entitled, show: or((r) => decimal(r.entitled, 1))},
			{title: "waiting", type: "number", key: (r) => r.waiting, show: (r) => count(r.waiting)},
			{title: "oldest", type: "number", hint: "For how long the one next in line has waited", key: (r) => r.oldest, show: or((r) => r.waiting ? span(r.oldest) : missing)},
			{title: "weight", type: "number wide", hint: "And minimum and cap, if any", key: (r) => r.weight, show: or(share)},
			{title: "service", type: "number wide", hint: "Slot-time over weight, while others waited", key: (r) => r.service, show: or((r) => span(r.service))},
			{title: "debt", type: "number roomy", hint: "Slot-time ahead of those who wait; credit if negative", key: (r) => r.debt, show: or((r) => span(r.debt))},
			{title: "rejected", type: "number wide", key: (r) => r.rejected, show: or((r) => count(r.rejected))},
		],
		make(row, r) {
			if (r.others) row.cells[0].append(element("i", "others"), element("bdi"));
			else nameCell(row.cells[0]);
			const bar = element("span", "track");
			bar.append(element("i"), element("b"));
			row.cells[1].append(element("span", "n"), bar);
		},
		update(row, r) {
			if (r.others) write(row.cells[0].lastChild, `${count(r.tenants)} more`);
			else showName(row.cells[0], view, r.name);
			const [n, bar] = row.cells[1].children;
			write(n, count(r.held));
			const part = (x) => `${Math.min(100, 100 * x / view.capacity).toFixed(2)}%`;
			const [fill, mark] = bar.children;
			fill.style.width = part(r.held);
			const kind = r.others ? "others" : view.color(r.name);
			if (fill.className !== kind) fill.className = kind;
			mark.hidden = !r.entitled;
			if (r.entitled) mark.style.left = part(r.entitled);
			row.classList.toggle("absent", !r.held && !r.waiting);
		},
	});
}

function holderTable(table, view) {
	return new Table(table, {
		id: (h) => h.resource,
		columns: [
			{title: "holder", type: "name", key: (h) => h.tenant},
			{title: "resource", type: "number", key: (h) => h.resource, show: (h) => `#${h.resource}`},
			{title: "held for", type: "number", key: (h) => h.held, show: (h) => span(h.held)},
			{title: "", type: "text note"},
		],
		make(row) {
			nameCell(row.cells[0]);
			const button = element("button", "", "stack");
			button.type = "button";
			button.addEventListener("click", () => showStack(row.holder));
			row.cells[3].append(element("em"), button);
		},
		update(row, h) {
			row.holder = h;
			showName(row.cells[0], view, h.tenant);
			const [asked, button] = row.cells[3].children;
			write(asked, h.revoked ? "asked back" : "");
			button.hidden = h.text === "";
		},
	});
}

// showStack shows where a lease was acquired, until it is dismissed: the lease
// itself may be over any moment.
function showStack(h) {
	const panel = document.getElementById("stack");
	write(panel.querySelector("p"), `#${h.resource}, held by ${tenant(h.tenant)} for ${span(h.held)}, was acquired at`);
	write(panel.querySelector("pre"), h.text);
	panel.showPopover();
}
