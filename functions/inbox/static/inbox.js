// The list with the switch, and the open conversation beside it or in its place.
import { render } from "./preact.js";
import { Device, Live, Outbox, closeNotifications } from "./device.js";
import { clearDraft, conversationDrafts, hasDraft } from "./drafts.js";
import { change } from "./server.js";
import { Conversation } from "./conversation.js";
import { Found, SearchBox } from "./find.js";
import { More, NewConversation } from "./lazy.js";
import { Avatar, Bones, Channel, Icon, Round, Switch, Waits, age, clock, count, html, nameOf, useAct, useEffect, useLayoutEffect, useRef, useState } from "./parts.js";

const MESSAGE_FOR = 6000; // milliseconds for which the result of an action is shown
const WRITING = "textarea, input, select, dialog";

// The longest-waiting customer comes first, then the latest message.
function inOrder(conversations) {
  const last = (one) => Date.parse(one.last?.at || one.assigned_at || 0);
  return [...conversations].sort((one, other) => (one.awaiting_since && other.awaiting_since
    ? Date.parse(one.awaiting_since) - Date.parse(other.awaiting_since)
    : Boolean(other.awaiting_since) - Boolean(one.awaiting_since) || last(other) - last(one)));
}

// One mark at a time: what the worker has to come back to.
function markOf(one, me, open, outbox) {
  const states = outbox.of(one.sid).map(({ state }) => state);
  if (states.includes("failed")) return ["late", "Not sent"];
  if (one.undelivered > 0) return ["late", "Not delivered"];
  if (states.includes("waiting")) return ["", "Sending"];
  return !open && hasDraft(me, one.sid) ? ["soon", "Draft"] : null;
}

function Row({ one, me, open, outbox }) {
  const mark = markOf(one, me, open, outbox);
  const sender = one.last?.from !== "worker" ? "" : one.mine ? "You: " : "Team: ";
  return html`<li><a class="row ${one.unread ? "new" : ""}" href=${`#${one.sid}`} id=${one.sid} aria-current=${open ? "true" : undefined}>
    <${Avatar} name=${nameOf(one)} picture=${one.avatar} />
    <span class="name" dir="auto">${nameOf(one)}</span><span class="age">${one.awaiting_since ? html`<${Waits} short since=${one.awaiting_since} />` : one.last && age(one.last.at)}</span>
    <span class="preview" dir="auto">${one.last ? `${sender}${one.last.text || "Picture or file"}` : "No messages yet"}</span>
    <span>${one.unread > 0 && html`<b class="unread">${one.unread}<span class="hidden"> unread</span></b>`}</span>
    <span class="tags"><${Channel} of=${one.channel} />
      ${one.state === "inactive" && html`<span class="tag">Inactive</span>`}${!one.mine && html`<span class="tag">Joined</span>`}
      ${mark && html`<span class="wait ${mark[0]}">${mark[1]}</span>`}</span>
  </a></li>`;
}

function Available({ on, live, say }) {
  const [busy, wrong, run] = useAct(async () => {
    await change("status", { status: on ? "Unavailable" : "Available" });
    await live.look();
    live.soon();
  });
  useEffect(() => { if (wrong) say(wrong, "bad"); }, [wrong]);
  return html`<${Switch} on=${on} aria-busy=${busy} onClick=${run}>Available<//>`;
}

// Keeps the focus on a row that moves up or down.
function useFocusKept() {
  const id = document.activeElement.id;
  useLayoutEffect(() => { if (id && document.activeElement === document.body) document.getElementById(id)?.focus(); });
}

// What was written and isn't sent in conversations that the worker no longer has.
function Leftovers({ me, conversations, outbox }) {
  const [, draw] = useState(0);
  const open = new Set(conversations.map(({ sid }) => sid));
  const drafts = conversationDrafts(me).map(([sid, text]) => ({ sid, text, key: `draft ${sid}`, remove: () => clearDraft(me, sid) }));
  const unsent = outbox.entries.filter(({ state }) => state !== "sent").map((entry) => ({
    ...entry, text: entry.text || entry.content || entry.file?.name, key: entry.token, remove: () => outbox.drop(entry.token),
  }));
  const lost = [...unsent, ...drafts].filter(({ sid }) => !open.has(sid));
  if (lost.length === 0) return null;
  const remove = (one) => { one.remove(); draw((times) => times + 1); };
  return html`<section class="leftovers" aria-labelledby="leftovers"><h2 id="leftovers">Not sent</h2>
    <p class="soft">You no longer have these conversations. Copy what you still need.</p>
    <ul role="list" aria-label="Not sent">${lost.map((one) => html`<li key=${one.key}>
      <p class="plainly">${one.name && html`<b>${one.name}: </b>`}${one.text}</p>
      <button class="link" onClick=${() => navigator.clipboard?.writeText(one.text)}>Copy</button>
      <button class="link" onClick=${() => remove(one)}>Delete</button></li>`)}</ul>
  </section>`;
}

function List({ view: { state, failure, at }, open, outbox, live, say, onSheet }) {
  useFocusKept();
  const on = state.me.status === "Available";
  const [query, setQuery] = useState("");
  const row = (one) => html`<${Row} key=${one.sid} one=${one} me=${state.me} open=${one.sid === open} outbox=${outbox} />`;
  const waiting = state.conversations.filter((one) => one.awaiting_since).length;
  const status = failure ? html`<b class="lost">${failure.message}</b> Last updated at ${clock(at)}.`
    : waiting > 0 ? `${waiting} ${waiting === 1 ? "waits" : "wait"} for you${state.waiting ? `, ${count(state.waiting, "customer")} in the queue` : ""}`
    : !on ? "You won't get new customers while Unavailable." : state.waiting ? `${count(state.waiting, "customer")} in the queue` : state.waiting === 0 && "The queue is empty.";
  return html`<section class="side" aria-label="Inbox">
    <div class="top"><h1>Inbox</h1><${Available} on=${on} live=${live} say=${say} />
      <${Round} icon="write" label="New conversation" onClick=${() => onSheet("write")} /><${Round} icon="more" label="More" onClick=${() => onSheet("more")} /></div>
    <p class="told" role="status">${status}</p>
    ${state.me.note && html`<p class="notice">${state.me.note}</p>`}
    ${(query || state.conversations.length > 0) && html`<${SearchBox} query=${query} set=${setQuery} />`}
    <div class="scroll">
      ${query.trim() ? html`<${Found} query=${query} row=${row} onCustomer=${(customer) => onSheet(customer)} />` : html`
      ${state.conversations.length === 0 && html`<div class="nothing"><span><${Icon} name=${on ? "done" : "away"} /></span>
        <p>${state.empty || (on ? "No customers are waiting." : "You are Unavailable.")}</p></div>`}
      <ul role="list" aria-label="Conversations" class="rows">${inOrder(state.conversations).map(row)}</ul>
      <${Leftovers} me=${state.me} conversations=${state.conversations} outbox=${outbox} />`}
    </div>
  </section>`;
}

const here = () => location.hash.slice(1);

// Returns to the list and restores the focus. If the list is the step before in the browser's history, that step is
// taken back, so that the phone's own back key leads where it came from.
let isReturning = false;
function back() {
  if (isReturning) return;
  const row = here();
  const focus = () => requestAnimationFrame(() => document.getElementById(row)?.focus());
  if (history.state?.isAboveList) {
    isReturning = true;
    addEventListener("popstate", () => { isReturning = false; focus(); }, { once: true });
    history.back();
    return;
  }
  history.replaceState(null, "", location.pathname + location.search);
  dispatchEvent(new Event("hashchange"));
  focus();
}

// Keys have a Latin letter's name on every keyboard, whatever they type.
const letterOf = ({ key, code }) => (/^[\x00-\x7f]+$/.test(key) ? key : code.replace(/^Key/, "").toLowerCase());

const TYPING = 5000; // milliseconds since the last key
let typedAt = 0;
addEventListener("input", () => { typedAt = Date.now(); }, true);

// Whether the worker is writing: then nothing else may take the place of the textbox.
function isTyping() {
  const field = document.activeElement;
  return document.hasFocus() && field.matches("textarea, input") && (Boolean(field.value) || Date.now() - typedAt < TYPING);
}

function walk(step) {
  const rows = [...document.querySelectorAll(".row")];
  const at = rows.indexOf(document.activeElement);
  const from = at < 0 ? rows.findIndex((row) => row.ariaCurrent) : at;
  rows[Math.min(rows.length - 1, Math.max(0, from + step))]?.focus();
}

// The address names the open conversation.
function useOpen(live, onHelp, say) {
  const [open, setOpen] = useState(here);
  live.open = open;
  const latest = useRef(open);
  useEffect(() => {
    const pressed = (event) => {
      const { target } = event;
      const key = letterOf(event);
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]:not(.beside)")) return;
      if (key === "Escape" && here()) back();
      if (target.closest(WRITING)) return;
      if (key === "?") onHelp();
      const step = target.closest("[role=log]") ? { j: 1, k: -1 }[key] : { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 }[key];
      if (step) { event.preventDefault(); walk(step); }
    };
    const moved = () => {
      if (here() && !latest.current && !history.state) history.replaceState({ isAboveList: true }, "");
      latest.current = here();
      setOpen(here());
    };
    addEventListener("hashchange", moved);
    if (here() !== latest.current) moved(); // it changed since the first drawing
    addEventListener("keydown", pressed);
    navigator.serviceWorker?.addEventListener("message", ({ data, ports }) => {
      if (data.offer) say("A notification was opened.", "bad", data.offer);
      if (!data.open) return;
      const busy = isTyping();
      ports[0]?.postMessage(busy ? "typing" : "opened");
      if (!busy) location.hash = data.open;
    });
  }, []);
  return open;
}

// If a request fails, the last state stays visible.
function useLive() {
  const [view, setView] = useState({ looks: 0 });
  const live = useRef(null);
  live.current ??= new Live((state, failure) => setView(({ at, looks }) => ({ state, failure, at: failure ? at : Date.now(), looks: looks + 1 })));
  useEffect(() => { live.current.look(); }, []);
  return [view, live.current];
}

function useCount(state) {
  const waiting = state?.conversations.filter((one) => one.awaiting_since || one.unread).length;
  useEffect(() => {
    document.title = waiting ? `(${waiting}) Inbox` : "Inbox";
    (waiting ? navigator.setAppBadge?.(waiting) : navigator.clearAppBadge?.())?.catch(() => {});
  }, [waiting]);
}

// The conversation's address survives the sign-in.
const signIn = () => `sign-in?to=${encodeURIComponent(here())}`;

function useMessage(looks, failure) {
  const [message, setMessage] = useState(null);
  const [out, setOut] = useState(false);
  useEffect(() => { addEventListener("signed-out", () => setOut(true)); }, []);
  useEffect(() => { if (!failure) setOut(false); }, [looks]); // signed in again in another window
  useEffect(() => {
    const timer = message && !message.kind && setTimeout(setMessage, MESSAGE_FOR, null);
    return () => clearTimeout(timer);
  }, [message]);
  return [(text, kind, sid) => setMessage({ text, kind, sid }), html`<div class="said" role="alert">${message && html`<p>${message.text}
      ${message.sid && html` <a class="button" href=${`#${message.sid}`} onClick=${() => setMessage(null)}>Open</a>`}<${Round} icon="away" label="Dismiss" onClick=${() => setMessage(null)} /></p>`}</div>
    ${out && html`<p class="out" role="alert">You are signed out. Your unsent messages are kept. <a class="button" href=${signIn()}>Sign in again</a></p>`}`];
}

function App() {
  const [view, live] = useLive();
  const { state, failure } = view;
  const [sheet, setSheet] = useState("");
  const [say, messages] = useMessage(view.looks, failure);
  const open = useOpen(live, () => setSheet("more"), say);
  const [, draw] = useState(0);
  const my = useRef({ bySid: new Map() }).current; // also the last state of conversations that are gone
  useCount(state);
  useEffect(() => {
    if (state && !failure) my.outbox.retry();
    if (state) my.device.start().catch(() => {});
  }, [Boolean(state && !failure)]);
  useEffect(() => {
    if (state && !failure && !document.hidden) closeNotifications(state.conversations);
  }, [view.looks]);
  if (!state) return html`<${Starting} failure=${failure} live=${live} />`;

  const { me } = state;
  my.outbox ??= new Outbox(me.identity, () => draw((times) => times + 1));
  my.device ??= new Device(me.identity, state.push_key);
  for (const one of state.conversations) my.bySid.set(one.sid, one);
  const { outbox, device } = my;
  const one = open && (my.bySid.get(open) || { sid: open, name: "Conversation", channel: "" });
  const close = () => setSheet("");
  return html`<div class="both ${one ? "inside" : ""}">
    <${List} ...${{ view, open, outbox, live, say }} onSheet=${setSheet} />
    ${one ? html`<${Conversation} key=${open} ...${{ one, view, outbox, live, say }} onBack=${back} />`
      : html`<div class="pane none">${state.conversations.length > 0 && html`<p>Choose a conversation.<small>Press ? for keyboard shortcuts.</small></p>`}</div>`}
    ${messages}
    ${(sheet === "write" || sheet.id) && html`<${NewConversation} me=${me} customer=${sheet.id ? sheet : null} onClose=${close} onDone=${(sid) => { close(); location.hash = sid; live.look(); live.soon(); }} />`}
    ${sheet === "more" && html`<${More} me=${me} device=${device} own=${state.sign_out} unsent=${outbox.entries.filter((entry) => entry.state !== "sent").length} onClose=${close} />`}
  </div>`;
}

function Starting({ failure, live }) {
  return html`<div class="both ${failure ? "alone" : ""}"><section class="side" aria-label="Inbox"><div class="top"><h1>Inbox</h1></div>
    ${!failure ? html`<p class="told">Loading your conversations</p><${Bones} />`
    : html`<div class="nothing"><p role="alert">${failure.message}</p>${failure.status === 401
      ? html`<a class="button" href=${signIn()}>Sign in</a>` : html`<button onClick=${() => live.look()}>Try again</button>`}</div>`}
  </section></div>`;
}

// A file that is dropped beside the composer must not replace the page.
const hasFiles = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
for (const kind of ["dragover", "drop"]) addEventListener(kind, (event) => { if (hasFiles(event)) event.preventDefault(); });

const place = document.getElementById("app");
place.replaceChildren();
place.removeAttribute("aria-busy");
render(html`<${App} />`, place);
