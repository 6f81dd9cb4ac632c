// The connection to the server. The browser connects again by itself after a
// loss, and says what it has seen; where it gives up, and when the page is
// looked at again after it was hidden, a new connection says it.

const again = 1000; // ms

export class Stream {
	source = null;
	last = ""; // id of the last event

	// The handler has backlog(b), frame(f) and lost().
	constructor(handler) {
		this.handler = handler;
		document.addEventListener("visibilitychange", () => {
			if (document.hidden) this.close(); else this.open();
		});
		// A page that is left keeps no connection: it may be kept for the way back.
		addEventListener("pagehide", () => this.close());
		addEventListener("pageshow", () => this.open());
	}

	open() {
		if (this.source || document.hidden) return;
		const source = new EventSource(`events?after=${encodeURIComponent(this.last)}`);
		this.source = source;
		const take = (fn) => (e) => {
			this.last = e.lastEventId;
			fn(JSON.parse(e.data));
		};
		source.addEventListener("backlog", take((b) => this.handler.backlog(b)));
		source.addEventListener("message", take((f) => this.handler.frame(f)));
		source.addEventListener("error", () => {
			if (this.source !== source) return;
			this.handler.lost();
			if (source.readyState === EventSource.CLOSED) {
				this.close();
				setTimeout(() => this.open(), again);
			}
		});
	}

	close() {
		this.source?.close();
		this.source = null;
	}
}
