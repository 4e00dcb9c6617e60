// When to look again, and what stays on this device: files, the outbox, notifications.
import { Failure, ago, ask, change, now, of } from "./server.js";

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
  keys: (start) => (attempt(() => Object.keys(localStorage)) || []).filter((key) => key.startsWith(start)),
  clear: (start) => kept.keys(start).forEach((key) => kept.set(key)),
};

// Files are too large for localStorage, so they are in a cache, which serves no request.
const stored = async (act, name, ...more) => {
  try { return await (await caches.open("inbox-files"))[act](new URL(`file/${name}`, document.baseURI), ...more); } catch { return null; }
};

// The files that were chosen for a message and aren't sent yet: they survive switching the conversation and a reload.
export const MOST_FILES = 10;
const placeOf = (me, sid, at) => `draft/${encodeURIComponent(me.identity)}/${sid}/${at}`;

export async function keepFiles(me, sid, files) {
  for (let at = 0; at < MOST_FILES; at += 1) {
    const file = files[at];
    const headers = file && { "Content-Type": file.type, "X-Name": encodeURIComponent(file.name) };
    await (file ? stored("put", placeOf(me, sid, at), new Response(file, { headers })) : stored("delete", placeOf(me, sid, at)));
  }
}

export async function keptFiles(me, sid) {
  const answers = await Promise.all(Array.from({ length: MOST_FILES }, (_, at) => stored("match", placeOf(me, sid, at))));
  return Promise.all(answers.filter(Boolean).map(async (answer) => {
    const { headers } = answer;
    return new File([await answer.blob()], decodeURIComponent(headers.get("X-Name")), { type: headers.get("Content-Type") });
  }));
}

export async function clearFiles(me) {
  const start = new URL(`file/draft/${encodeURIComponent(me.identity)}/`, document.baseURI).href;
  const cache = await attempt(() => caches.open("inbox-files"));
  for (const { url } of await cache?.keys() || []) if (url.startsWith(start)) await cache.delete(url);
}

function base64(blob) {
  return new Promise((done) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.readAsDataURL(blob);
  });
}

// The outbox. A message is stored before it is sent, with a token that identifies it at the server: despite a lost
// answer, a reload, a second tap or a second window it is sent once. A browser lock lets one window at a time try;
// the windows learn from localStorage what the others have added, sent or deleted. While a failure may pass, the message
// is tried again without end, and later messages of the same conversation wait behind it.
const PAUSES = [1000, 3000, 8000, 15_000, 30_000]; // milliseconds between tries; the last one repeats
const OLD = 600_000; // milliseconds; after a reload, entries that were last tried before wait for a tap
const TAKE_OVER = 20_000; // milliseconds after which a window sends what another window was to send

// Older browsers have no locks; there the token alone keeps a message from being sent twice.
const alone = (name, act) => (navigator.locks ? navigator.locks.request(name, act) : act());

export class Outbox {
  constructor(owner, changed) {
    this.start = `inbox ${owner} out `;
    this.changed = changed;
    this.blobs = new Map(); // token: file
    this.running = new Set(); // conversations
    this.waking = new Set(); // ends the pauses between tries
    this.entries = kept.keys(this.start).map(kept.get).filter(Boolean).sort((first, second) => first.at - second.at);
    addEventListener("storage", (event) => this.hear(event));
    this.resume();
  }

  async resume() {
    for (const entry of this.entries) {
      entry.isStored = true;
      await this.load(entry);
      if (entry.file && !this.blobs.get(entry.token)) this.fail(entry, "The file is missing. Please choose it again.");
      if (entry.state === "waiting" && now() - (entry.tried || entry.at) > OLD) this.fail(entry, "The page was closed before it was sent.");
    }
    for (const { sid } of this.entries) this.run(sid);
  }

  async load({ file, token }) {
    if (file && !this.blobs.get(token)) this.blobs.set(token, await (await stored("match", token))?.blob());
  }

  // Follows what another window has stored or removed.
  hear({ key, newValue }) {
    if (!key?.startsWith(this.start)) return;
    const token = key.slice(this.start.length);
    const entry = this.find(token);
    const change = newValue && JSON.parse(newValue);
    if (!change) {
      if (entry && entry.state !== "sent") this.remove(token);
    } else if (entry) {
      Object.assign(entry, change, { isStored: true });
    } else {
      this.entries = [...this.entries, { ...change, isStored: true }];
      setTimeout(() => this.run(change.sid), TAKE_OVER);
    }
    this.changed();
  }

  find(token) {
    return this.entries.find((entry) => entry.token === token);
  }

  of(sid) {
    return this.entries.filter((entry) => entry.sid === sid);
  }

  // A token of the caller's own makes a repeated call send once.
  async add(sid, what, blob, token = crypto.randomUUID()) {
    if (this.find(token)) return;
    const at = Math.max(now(), (this.entries.at(-1)?.at || 0) + 1); // keeps the order after a reload
    const entry = { token, sid, at, state: "waiting", ...what };
    this.blobs.set(token, blob);
    this.entries = [...this.entries, entry];
    this.write(entry);
    if (blob) await stored("put", token, new Response(blob));
    this.run(sid);
  }

  again(entry) {
    Object.assign(entry, { state: "waiting", error: "", at: now(), tried: 0, tries: 0 });
    this.write(entry);
    this.wake();
    this.run(entry.sid);
  }

  // Tries at once what waits for the next try, and what waits for the next sign-in.
  retry() {
    for (const entry of this.entries) if (entry.state === "signed-out") this.again(entry);
    this.wake();
  }

  wake() {
    for (const end of this.waking) end();
  }

  drop(token) {
    if (!this.find(token)) return;
    this.remove(token);
    this.forget(token);
    this.changed();
  }

  remove(token) {
    this.entries = this.entries.filter((entry) => entry.token !== token);
    this.wake();
  }

  forget(token) {
    kept.set(this.start + token);
    stored("delete", token);
  }

  fail(entry, error) {
    Object.assign(entry, { state: "failed", error });
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
      await alone(this.start + sid, () => this.send(entry));
      if (entry.state === "waiting" && this.find(entry.token)) await this.pause(PAUSES[Math.min(entry.tries, PAUSES.length) - 1]);
    }
    this.running.delete(sid);
  }

  async pause(time) {
    let end;
    await new Promise((done) => {
      end = done;
      this.waking.add(done);
      setTimeout(done, time);
    });
    this.waking.delete(end);
  }

  // Makes one try.
  async send(entry) {
    if (entry.isStored && !kept.get(this.start + entry.token)) return this.drop(entry.token); // another window has sent it
    try {
      await change(of(entry.sid, "messages"), await this.content(entry));
      Object.assign(entry, { state: "sent", error: "" });
      this.forget(entry.token);
    } catch (failure) {
      this.failed(entry, failure);
    }
    this.changed();
  }

  failed(entry, failure) {
    if (!this.find(entry.token)) return; // deleted meanwhile
    Object.assign(entry, { tries: (entry.tries || 0) + 1, tried: now(), error: failure.message });
    if (failure.status === 401) entry.state = "signed-out"; // the stored entry still waits
    else if (failure.again) this.write(entry);
    else this.fail(entry, failure.message);
  }

  async content({ token, text, template, file, again }) {
    if (template) return { token, template };
    if (again) return { token, again };
    if (!file) return { token, body: text };
    await this.load({ token, file });
    if (!this.blobs.get(token)) throw new Failure("The file is missing. Please choose it again.", 400);
    return { token, media: { ...file, data: await base64(this.blobs.get(token)) } };
  }
}

// Notifications. The device registers at each start, because subscriptions end without notice.
const apple = /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
const installed = navigator.standalone || matchMedia("(display-mode: standalone)").matches;
const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const ready = navigator.serviceWorker?.register("sw.js").then(() => navigator.serviceWorker.ready).catch(() => null);

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

  // At each start: a browser's subscription belongs to the worker who signed in last.
  async start() {
    if (this.on) return this.register();
    return (await (await ready)?.pushManager?.getSubscription())?.unsubscribe();
  }

  async subscribed() {
    const { pushManager } = await ready;
    const bytes = Uint8Array.from(atob(this.key.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
    const before = await pushManager.getSubscription();
    const key = before?.options?.applicationServerKey;
    const isOurs = !key || String(new Uint8Array(key)) === String(bytes);
    if (before && isOurs) return before;
    await before?.unsubscribe(); // it was made for another key, so the push service refuses our messages
    return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes });
  }

  async register(change = {}) {
    let subscription;
    try {
      subscription = await this.subscribed();
    } catch {
      throw new Error("The browser's notification service isn't responding.");
    }
    await ask(`devices/${this.kept.id}`, "PUT", { subscription: subscription.toJSON(), text: change.words ?? this.kept.words });
    this.keep(change);
  }

  keep(change) {
    Object.assign(this.kept, change);
    kept.set(this.place, this.kept);
    const { id, on, words } = this.kept; // sw.js needs them when the browser changes the subscription
    if (on) stored("put", "device", new Response(JSON.stringify({ id, words, key: this.key })));
    else stored("delete", "device");
  }
}

// Closes the notifications of conversations that were read, and older ones of conversations that are gone.
export async function closeNotifications(conversations) {
  const shown = await (await ready)?.getNotifications?.() || [];
  for (const one of shown.filter(({ data }) => data)) {
    const conversation = conversations.find(({ sid }) => sid === one.data);
    if (conversation ? !conversation.unread : now() - one.timestamp > MINUTE) one.close();
  }
}
