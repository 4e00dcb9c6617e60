// What is on its way to the customer. It is written down before it is sent, under a token by which the server knows it
// again: a lost answer, a reload, a second tap or a second window make one message of it.
//
//   waiting -> (answered) sent: no longer written down -> gone once the message itself is shown
//   waiting -> (refused, or out of tries) failed -> waiting again, or dropped, by the person
//
// Of several windows one at a time sends a conversation's messages, in order (a lock of the browser's); whoever comes
// second finds the entry no longer written down.
import { change, now, of } from "./api.js";

const PAUSES = [1000, 3000, 8000]; // milliseconds between tries
const RESUMED = 600_000; // older than this it is not sent after a reload without being asked for
const PICTURES = "inbox-pictures";

const sleep = (time) => new Promise((done) => setTimeout(done, time));
const locked = (name, act) => (navigator.locks ? navigator.locks.request(name, act) : act());
const address = (token) => new URL(`picture/${token}`, document.baseURI).href;

// localStorage may be full or forbidden: then things are kept for as long as the page is open.
export const kept = {
  get(key) {
    try { return JSON.parse(localStorage.getItem(key)); } catch { return null; }
  },
  set(key, value) {
    try { localStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; }
  },
  remove(key) {
    try { localStorage.removeItem(key); } catch { /* nothing was kept */ }
  },
  keys(start) {
    try { return Object.keys(localStorage).filter((key) => key.startsWith(start)); } catch { return []; }
  },
};

const pictures = {
  async keep(token, blob) {
    try { await (await caches.open(PICTURES)).put(address(token), new Response(blob)); } catch { /* in memory only */ }
  },
  async find(token) {
    try { return await (await (await caches.open(PICTURES)).match(address(token))).blob(); } catch { return null; }
  },
  async remove(token) {
    try { await (await caches.open(PICTURES)).delete(address(token)); } catch { /* nothing was kept */ }
  },
};

function base64(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(reader.error);
    reader.readAsDataURL(blob);
  });
}

export class Outbox {
  constructor(owner, changed) {
    this.start = `inbox ${owner} out `;
    this.changed = changed;
    this.blobs = new Map(); // token: picture
    this.running = new Set(); // conversations
    this.entries = kept.keys(this.start).map(kept.get).filter(Boolean).sort((one, other) => one.at - other.at);
    this.resume();
  }

  // What was on its way before a reload goes on; what is old waits for a tap.
  async resume() {
    for (const entry of this.entries) {
      if (entry.picture) {
        const blob = await pictures.find(entry.token);
        if (blob) this.blobs.set(entry.token, blob);
        else this.fail(entry, "The picture was lost before it was sent; please choose it again.");
      }
      if (entry.state === "waiting" && now() - entry.at > RESUMED) this.fail(entry, "It was not sent before the page was closed.", true);
    }
    for (const sid of new Set(this.entries.map((entry) => entry.sid))) this.run(sid);
  }

  of(sid) {
    return this.entries.filter((entry) => entry.sid === sid);
  }

  async add(sid, what, blob) {
    const entry = { token: crypto.randomUUID(), sid, at: now(), state: "waiting", ...what };
    if (blob) this.blobs.set(entry.token, blob);
    this.entries = [...this.entries, entry];
    this.write(entry);
    if (blob) await pictures.keep(entry.token, blob);
    this.run(sid);
  }

  again(entry) {
    Object.assign(entry, { state: "waiting", error: "", at: now() });
    this.write(entry);
    this.run(entry.sid);
  }

  // The connection is back.
  retry() {
    for (const entry of this.entries) if (entry.state === "failed" && entry.transient) this.again(entry);
  }

  drop(token) {
    this.entries = this.entries.filter((entry) => entry.token !== token);
    this.forget(token);
    this.blobs.delete(token);
    this.changed();
  }

  forget(token) {
    kept.remove(this.start + token);
    pictures.remove(token);
  }

  fail(entry, error, transient = false) {
    Object.assign(entry, { state: "failed", error, transient });
    this.write(entry);
  }

  write(entry) {
    entry.written = true;
    entry.written = kept.set(this.start + entry.token, entry);
    this.changed();
  }

  async run(sid) {
    if (this.running.has(sid)) return;
    this.running.add(sid);
    const next = () => this.of(sid).find((one) => one.state === "waiting");
    for (let entry = next(); entry; entry = next()) {
      const due = entry;
      await locked(`${this.start}${sid}`, () => this.send(due));
    }
    this.running.delete(sid);
  }

  async send(entry) {
    if (entry.written && !kept.get(this.start + entry.token)) return this.drop(entry.token); // another window was first
    for (let tries = 0; entry.state === "waiting"; tries += 1) {
      try {
        const told = await change(of(entry.sid, "messages"), await this.content(entry), { seconds: 40 });
        Object.assign(entry, { state: "sent", index: told.index, error: "" });
        this.forget(entry.token);
      } catch (failure) {
        const pause = failure.again ? PAUSES[tries] : undefined;
        if (failure.status === 401) Object.assign(entry, { state: "failed", error: failure.message }); // written: waiting
        else if (pause === undefined) this.fail(entry, failure.message, failure.again);
        else {
          Object.assign(entry, { error: failure.message });
          this.changed();
          await sleep(pause);
        }
      }
    }
    this.changed();
  }

  async content({ token, text, template, picture }) {
    if (template) return { token, template: template.id };
    if (!picture) return { token, body: text };
    return { token, media: { type: picture.type, name: picture.name, data: await base64(this.blobs.get(token)) } };
  }
}
