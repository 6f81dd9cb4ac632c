// Tables whose rows stay the same elements as long as they are about the same.

export class Table {
	// columns have title, hint, show(item) and, where they are to be sorted by,
	// key(item). make(row, item) may add to a new row; rows are told apart by id.
	constructor(element, {columns, id, make, update, last}) {
		Object.assign(this, {element, columns, id, make, update, last});
		this.body = element.tBodies[0];
		this.rows = new Map();
		this.sort = null;
		this.descending = true;
		this.items = [];
		this.most = 0;
		const head = element.tHead.insertRow();
		for (const column of columns) {
			const th = document.createElement("th");
			th.scope = "col";
			if (column.type) th.className = column.type;
			if (column.hint) th.title = column.hint;
			if (column.key) {
				const button = document.createElement("button");
				button.type = "button";
				button.textContent = column.title;
				button.addEventListener("click", () => this.sortBy(column));
				th.append(button);
			} else {
				th.textContent = column.title;
			}
			head.append(th);
			column.head = th;
		}
	}

	// sortBy sorts by a column, the other way round the second time, and not at
	// all the third.
	sortBy(column) {
		if (this.sort !== column) [this.sort, this.descending] = [column, true];
		else if (this.descending) this.descending = false;
		else this.sort = null;
		for (const c of this.columns) {
			if (c === this.sort) c.head.setAttribute("aria-sort", this.descending ? "descending" : "ascending");
			else c.head.removeAttribute("aria-sort");
		}
		this.show(this.items);
	}

	show(items) {
		this.items = items;
		let all = items;
		if (this.sort) {
			const {key} = this.sort, sign = this.descending ? -1 : 1;
			all = items.filter((x) => !this.last?.(x)).sort((a, b) => {
				const x = key(a), y = key(b);
				return x < y ? -sign : x > y ? sign : 0;
			});
			all.push(...items.filter((x) => this.last?.(x)));
		}
		// It never gets lower again: what is below would jump.
		if (all.length > this.most) {
			this.most = all.length;
			this.element.parentElement.style.setProperty("--rows", this.most);
		}
		const seen = new Set();
		let place = this.body.firstChild;
		for (const item of all) {
			const id = this.id(item);
			if (seen.has(id)) continue;
			seen.add(id);
			let row = this.rows.get(id);
			if (!row) {
				row = document.createElement("tr");
				for (const column of this.columns) {
					const cell = row.insertCell();
					if (column.type) cell.className = column.type;
				}
				this.make?.(row, item);
				this.rows.set(id, row);
			}
			this.columns.forEach((column, i) => { if (column.show) write(row.cells[i], column.show(item)); });
			this.update?.(row, item);
			if (row === place) place = place.nextSibling;
			else this.body.insertBefore(row, place);
		}
		for (const [id, row] of this.rows) {
			if (!seen.has(id)) {
				row.remove();
				this.rows.delete(id);
			}
		}
	}
}

// write sets the text of an element, if it is another.
export function write(element, text) {
	if (element.textContent !== text) element.textContent = text;
}

// element is a new one.
export function element(name, className, text) {
	const e = document.createElement(name);
	if (className) e.className = className;
	if (text !== undefined) e.textContent = text;
	return e;
}

// pairs shows a list of names and values.
export function pairs(list, all) {
	while (list.children.length > all.length) list.lastChild.remove();
	all.forEach(([name, value, state], i) => {
		let item = list.children[i];
		if (!item) {
			item = element("div");
			item.append(element("dt"), element("dd"));
			list.append(item);
		}
		write(item.firstChild, name);
		write(item.lastChild, value);
		if (item.className !== (state ?? "")) item.className = state ?? "";
	});
}
