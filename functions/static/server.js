// Calls the server, and keeps drafts, the outbox and notifications on this device.
export class Failure extends Error {
  constructor(sentence, status, details = {}) {
    super(sentence);
    this.status = status;
    this.details = details; // the rest of the answer, such as the field that is invalid
    this.again = status === 0 || status === 429 || status >= 500; // another try may help
  }
}

let skew = 0; // milliseconds that this device's clock is behind the server's
export const now = () => Date.now() + skew;
export const ago = (at) => now() - Date.parse(at || 0);

// Only the page's own script sends it, which shows the server where a change comes from.
const HEADER = `X-${document.body.dataset.page || "Inbox"}`;

export async function ask(path, method = "GET", body, etag) {
  const headers = method === "GET" ? {} : { [HEADER]: "1", "Content-Type": "application/json" };
  if (etag) headers["If-None-Match"] = etag;
  let answer;
  try {
    const signal = AbortSignal.timeout(30_000);
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store", redirect: "manual", signal });
  } catch {
    throw new Failure(navigator.onLine ? "The inbox isn't responding." : "You're offline.", 0);
  }
  const time = Date.parse(answer.headers.get("Date"));
  if (time) skew = Math.abs(time - Date.now()) > 5000 ? time - Date.now() : 0;
  if (answer.status === 304) return null;
  if (answer.status === 401 || answer.type === "opaqueredirect") { // a sign-in proxy redirects
    dispatchEvent(new Event("signed-out"));
    throw new Failure("You are signed out.", 401);
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Failure(content.error || `The server returned an error (${answer.status}). Please try again.`, answer.status, content);
  return { ...content, etag: answer.headers.get("ETag") };
}

export const change = (path, body = {}) => ask(path, "POST", body);
export const of = (sid, rest) => `conversations/${encodeURIComponent(sid)}/${rest}`;

// When to refresh: at once after the worker's own action, on focus and on a push; otherwise more often during traffic.
const SOON = [150, 500, 1200]; // milliseconds; the effects of an action take a moment
const MINUTE = 60_000;

export class Live {
  constructor(hear) {
    this.hear = hear; // (state, failure)
    this.touched = Date.now();
    this.looks = []; // times in the last ten minutes, which limits them to 1,000 an hour
    const touch = () => { this.touched = Date.now(); };
    const back = () => { if (!document.hidden) { touch(); this.look(); } };
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, touch, { passive: true });
    for (const kind of ["focus", "online", "visibilitychange"]) addEventListener(kind, back, true);
    navigator.serviceWorker?.addEventListener("message", back);
  }

  pause() {
    const all = this.state?.conversations || [];
    const sinceLast = (conversation) => ago(conversation?.last?.at);
    if (Math.min(Date.now() - this.touched, ...all.map(sinceLast)) > 10 * MINUTE) return 40_000;
    this.looks = this.looks.filter((at) => Date.now() - at < 10 * MINUTE);
    const open = all.find(({ sid }) => sid === this.open);
    return this.looks.push(Date.now()) < 150 && sinceLast(open) < 2 * MINUTE ? 2000 : 5000;
  }

  // One request at a time; a call in the meantime causes another one right after.
  async look() {
    if (this.looking) { this.repeat = true; return; }
    clearTimeout(this.timer);
    this.looking = true;
    try {
      this.state = await ask("state", "GET", undefined, this.state?.etag) || this.state;
      this.hear(this.state);
    } catch (failure) {
      this.hear(this.state, failure);
    }
    this.looking = false;
    if (this.repeat) { this.repeat = false; this.look(); } else if (!document.hidden) this.timer = setTimeout(() => this.look(), this.pause());
  }

  soon() {
    this.touched = Date.now();
    for (const pause of SOON) setTimeout(() => this.look(), pause);
  }
}

// localStorage may be full or blocked; then values last only while the page is open.
const attempt = (act) => { try { return act(); } catch { return null; } };
export const kept = {
  get: (key) => attempt(() => JSON.parse(localStorage.getItem(key))),
  set: (key, value) => attempt(() => (value ? localStorage.setItem(key, JSON.stringify(value)) : localStorage.removeItem(key))),
  clear: (start) => attempt(() => Object.keys(localStorage).filter((key) => key.startsWith(start)).forEach((key) => localStorage.removeItem(key))),
};

// Files are too large for localStorage, so they are in a cache, which serves no request.
const files = async (act, token, ...more) => {
  try { return await (await caches.open("inbox-files"))[act](new URL(`file/${token}`, document.baseURI), ...more); } catch { return null; }
};

function base64(blob) {
  return new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.readAsDataURL(blob);
  });
}

// The outbox. A message is stored before it is sent, with a token that identifies it at the server: despite a lost
// answer, a reload, a second tap or a second window it is sent once. A browser lock lets one window at a time send;
// a second window then finds that the entry is no longer stored.
const PAUSES = [1000, 3000, 8000]; // milliseconds between tries
const OLD = 600_000; // milliseconds; after a reload, older entries wait for a tap

export class Outbox {
  constructor(owner, changed) {
    this.start = `inbox ${owner} out `;
    this.changed = changed;
    this.blobs = new Map(); // token: file
    this.running = new Set(); // conversations
    const keys = attempt(() => Object.keys(localStorage)) || [];
    this.entries = keys.filter((key) => key.startsWith(this.start)).map(kept.get).sort((first, second) => first.at - second.at);
    this.resume();
  }

  async resume() {
    for (const entry of this.entries) {
      const blob = entry.file && await (await files("match", entry.token))?.blob();
      this.blobs.set(entry.token, blob);
      if (entry.file && !blob) this.fail(entry, "The file is missing. Please choose it again.");
      if (entry.state === "waiting" && now() - entry.at > OLD) this.fail(entry, "The page was closed before it was sent.");
    }
    for (const entry of this.entries) this.run(entry.sid);
  }

  of(sid) {
    return this.entries.filter((entry) => entry.sid === sid);
  }

  async add(sid, what, blob) {
    const at = Math.max(now(), (this.entries.at(-1)?.at || 0) + 1); // keeps the order after a reload
    const entry = { token: crypto.randomUUID(), sid, at, state: "waiting", ...what };
    this.blobs.set(entry.token, blob);
    this.entries = [...this.entries, entry];
    this.write(entry);
    if (blob) await files("put", entry.token, new Response(blob));
    this.run(sid);
  }

  again(entry) {
    Object.assign(entry, { state: "waiting", error: "", at: now() });
    this.write(entry);
    this.run(entry.sid);
  }

  retry() {
    for (const entry of this.entries) if (entry.state === "failed" && entry.transient) this.again(entry);
  }

  drop(token) {
    this.entries = this.entries.filter((entry) => entry.token !== token);
    this.forget(token);
    this.changed();
  }

  forget(token) {
    kept.set(this.start + token);
    files("delete", token);
  }

  fail(entry, error, transient) {
    Object.assign(entry, { state: "failed", error, transient });
    this.write(entry);
  }

  write(entry) {
    kept.set(this.start + entry.token, entry);
    entry.isStored = Boolean(kept.get(this.start + entry.token));
    this.changed();
  }

  async run(sid) {
    if (this.running.has(sid)) return;
    this.running.add(sid);
    for (let due; (due = this.of(sid).find(({ state }) => state === "waiting"));) {
      const entry = due;
      await navigator.locks.request(this.start + sid, () => this.send(entry));
    }
    this.running.delete(sid);
  }

  async send(entry) {
    if (entry.isStored && !kept.get(this.start + entry.token)) return this.drop(entry.token); // another window has sent it
    for (let tries = 0; entry.state === "waiting"; tries += 1) {
      try {
        await change(of(entry.sid, "messages"), await this.content(entry));
        Object.assign(entry, { state: "sent", error: "" });
        this.forget(entry.token);
      } catch (failure) {
        const pause = failure.again && PAUSES[tries];
        entry.error = failure.message;
        if (failure.status === 401) entry.state = "failed"; // the stored entry still waits
        else if (!pause) this.fail(entry, failure.message, failure.again);
        this.changed();
        if (pause) await new Promise((done) => setTimeout(done, pause));
      }
    }
    this.changed();
  }

  async content({ token, text, template, file }) {
    if (template) return { token, template };
    return file ? { token, media: { ...file, data: await base64(this.blobs.get(token)) } } : { token, body: text };
  }
}

// Notifications. The device registers at each start, because subscriptions end without notice.
const apple = /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
const installed = navigator.standalone || matchMedia("(display-mode: standalone)").matches;
const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const isDesk = document.body.dataset.page === "Desk"; // it has no notifications
const ready = isDesk ? Promise.resolve(null) : navigator.serviceWorker?.register("sw.js").then(() => navigator.serviceWorker.ready).catch(() => null);

export class Device {
  constructor(owner, key) {
    this.key = key;
    this.place = `inbox ${owner} device`;
    this.kept = { id: crypto.randomUUID(), on: false, words: false, ...kept.get(this.place) };
  }

  obstacle() {
    if (!this.key) return "Notifications aren't set up for this inbox.";
    if (apple && !installed) return "On an iPhone or iPad: tap Share, then Add to Home Screen, and turn notifications on there.";
    if (!able) return "This browser can't show notifications.";
    return Notification.permission === "denied" ? "Notifications for this page are blocked in the browser's settings." : null;
  }

  get on() {
    return this.kept.on && able && Notification.permission === "granted";
  }

  async toggle() {
    if (!this.on) {
      if (await Notification.requestPermission() !== "granted") throw new Error("You didn't allow notifications.");
      return this.register({ on: true });
    }
    await ask(`devices/${this.kept.id}`, "DELETE");
    await (await (await ready)?.pushManager.getSubscription())?.unsubscribe();
    return this.keep({ on: false });
  }

  async register(change = {}) {
    let subscription;
    try {
      const { pushManager } = await ready;
      const bytes = Uint8Array.from(atob(this.key.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
      subscription = await pushManager.getSubscription() || await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes });
    } catch {
      throw new Error("The browser's notification service isn't responding.");
    }
    await ask(`devices/${this.kept.id}`, "PUT", { subscription: subscription.toJSON(), text: change.words ?? this.kept.words });
    this.keep(change);
  }

  keep(change) {
    Object.assign(this.kept, change);
    kept.set(this.place, this.kept);
  }
}
