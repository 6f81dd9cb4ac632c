// What is remembered of the pools: moments as columns, and times in seconds. A
// column of a colour is about the tenant that has it now; what others had
// before, whose colour is gone, is counted in the last column.

export const colors = 8;
const keep = 600; // seconds
const most = 6000; // moments, while nothing is dropped

const plain = ["capacity", "idle", "building", "moving", "oldest", "rate", "fairness", "p50", "p99", "mean"];

function columns(length) {
	const c = {labels: new Array(colors).fill("")};
	for (const name of plain) c[name] = new Array(length).fill(null);
	c.held = Array.from({length: colors + 1}, () => new Array(length).fill(null));
	c.waiting = Array.from({length: colors + 1}, () => new Array(length).fill(null));
	return c;
}

function each(c, fn) {
	for (const name of plain) fn(c[name]);
	for (const column of c.held) fn(column);
	for (const column of c.waiting) fn(column);
}

// relabel has columns of a length be about the tenants that have the colours now.
function relabel(c, labels, length) {
	const old = c.labels;
	if (labels.every((l, i) => l === old[i])) return;
	c.labels = labels;
	for (const kind of ["held", "waiting"]) {
		const was = c[kind];
		const others = was[colors];
		const now = labels.map((label) => {
			const from = label === "" ? -1 : old.indexOf(label);
			return from < 0 ? new Array(length).fill(null) : was[from];
		});
		for (const column of was.slice(0, colors)) {
			if (!now.includes(column)) column.forEach((n, i) => { if (n) others[i] += n; });
		}
		c[kind] = [...now, others];
	}
}

export class History {
	at = [];
	pools = new Map();

	// backlog adds the moments that were missed. They may be of another page
	// than those before, after a restart; where they overlap they count.
	backlog(b) {
		if (b.at.length) this.forget(b.at[0] / 1000);
		const end = this.at.length;
		for (const t of b.at) this.at.push(t / 1000);
		const seen = new Set();
		b.pools.forEach((p, k) => {
			seen.add(p.name);
			const c = this.pool(p.name, end);
			relabel(c, b.frame.pools[k].colors, end);
			for (const name of plain) c[name].push(...(p[name] ?? []));
			for (let i = 0; i <= colors; i++) {
				c.held[i].push(...(p.held[i] ?? []));
				c.waiting[i].push(...(p.waiting[i] ?? []));
			}
		});
		this.pad(seen);
	}

	// frame adds the moment of a frame.
	frame(f, trim) {
		this.forget(f.at / 1000); // after a step back of the clock
		const before = this.at.length;
		this.at.push(f.at / 1000);
		const seen = new Set();
		for (const p of f.pools) {
			seen.add(p.name);
			const c = this.pool(p.name, before);
			relabel(c, p.colors, before);
			for (const name of plain) c[name].push(p.now[name]);
			for (let i = 0; i <= colors; i++) {
				c.held[i].push(p.now.held[i]);
				c.waiting[i].push(p.now.waiting[i]);
			}
		}
		this.pad(seen);
		// In pieces of a minute: to move everything each time would be a waste.
		const old = this.at[this.at.length - 1] - keep;
		if (trim && this.at[0] < old - 60 || this.at.length > most) {
			let n = 0;
			while (this.at[n] < old) n++;
			n ||= 1;
			this.at.splice(0, n);
			for (const c of this.pools.values()) each(c, (column) => column.splice(0, n));
		}
	}

	// forget drops the moments from a time on.
	forget(time) {
		let end = this.at.length;
		while (end > 0 && this.at[end - 1] >= time) end--;
		if (end === this.at.length) return;
		this.at.length = end;
		for (const c of this.pools.values()) each(c, (column) => { column.length = end; });
	}

	pool(name, length) {
		let c = this.pools.get(name);
		if (!c) this.pools.set(name, c = columns(length));
		return c;
	}

	// pad gives pools that are gone empty moments.
	pad(seen) {
		for (const [name, c] of this.pools) {
			if (!seen.has(name)) each(c, (column) => {
				while (column.length < this.at.length) column.push(null);
			});
		}
	}

	// index is that of the moment at, or next before, a time, -1 if there is none.
	index(time) {
		let low = 0, high = this.at.length;
		while (low < high) {
			const mid = (low + high) >> 1;
			if (this.at[mid] <= time) low = mid + 1; else high = mid;
		}
		return low - 1;
	}

	// moment is what a pool was like, null if it was not there.
	moment(name, i) {
		const c = this.pools.get(name);
		if (!c || i < 0 || c.capacity[i] === null) return null;
		const m = {labels: c.labels};
		for (const k of plain) m[k] = c[k][i];
		m.held = c.held.map((column) => column[i] ?? 0);
		m.waiting = c.waiting.map((column) => column[i] ?? 0);
		return m;
	}
}
