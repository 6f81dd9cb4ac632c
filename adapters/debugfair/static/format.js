// How figures are written.

export const missing = "–";

// span writes a length of time given in milliseconds, with about three digits.
export function span(ms) {
	if (ms === null || ms === undefined) return missing;
	const sign = ms < 0 ? "−" : "";
	const v = Math.abs(ms);
	if (v === 0) return "0";
	if (v < 0.9995) return `${sign}${Math.round(v * 1000)} µs`;
	if (v < 999.5) return `${sign}${round(v)} ms`;
	const s = v / 1000;
	if (s < 119.5) return `${sign}${round(s)} s`;
	const min = s / 60;
	if (min < 119.5) return `${sign}${round(min)} min`;
	return `${sign}${round(min / 60)} h`;
}

function round(v) {
	if (v < 9.95) return v.toFixed(1);
	return String(Math.round(v));
}

// count writes a whole number.
export function count(n) {
	return n === null || n === undefined ? missing : n.toLocaleString("en").replaceAll(",", "\u202f");
}

export function decimal(n, digits) {
	return n === null || n === undefined ? missing : n.toFixed(digits);
}

// rate writes how often something happens in a second.
export function rate(n) {
	if (n === null || n === undefined) return missing;
	return n < 9.95 ? n.toFixed(1) : count(Math.round(n));
}

// tenant writes a name, of which the empty one would not be seen.
export function tenant(name) {
	return name === '""' ? "(no name)" : name;
}

const clockFormat = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit", second: "2-digit"});
const minuteFormat = new Intl.DateTimeFormat("en-GB", {hour: "2-digit", minute: "2-digit"});

// clock writes a time of day given in seconds.
export const clock = (s) => clockFormat.format(s * 1000);
export const minute = (s) => minuteFormat.format(s * 1000);
