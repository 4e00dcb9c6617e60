// The list with the switch, and the open conversation beside it or in its place.
import { render } from "./preact.js";
import { Device, Live, Outbox, change } from "./server.js";
import { Conversation } from "./conversation.js";
import { Found, SearchBox } from "./find.js";
import { More, NewConversation } from "./lazy.js";
import { Avatar, Bones, Channel, Icon, Round, Switch, Waits, age, clock, count, hasDraft, html, nameOf, useAct, useEffect, useLayoutEffect, useRef, useState } from "./parts.js";

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
      <ul role="list" aria-label="Conversations" class="rows">${inOrder(state.conversations).map(row)}</ul>`}
    </div>
  </section>`;
}

const here = () => location.hash.slice(1);

// Returns to the list and restores the focus.
function back() {
  const row = here();
  history.pushState(null, "", location.pathname + location.search);
  dispatchEvent(new Event("hashchange"));
  requestAnimationFrame(() => document.getElementById(row)?.focus());
}

function walk(step) {
  const rows = [...document.querySelectorAll(".row")];
  const at = rows.indexOf(document.activeElement);
  const from = at < 0 ? rows.findIndex((row) => row.ariaCurrent) : at;
  rows[Math.min(rows.length - 1, Math.max(0, from + step))]?.focus();
}

// The address names the open conversation.
function useOpen(live, onHelp) {
  const [open, setOpen] = useState(here);
  live.open = open;
  useEffect(() => {
    const pressed = (event) => {
      const { key, target } = event;
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]:not(.beside)")) return;
      if (key === "Escape" && here()) back();
      if (target.closest(WRITING)) return;
      if (key === "?") onHelp();
      const step = target.closest("[role=log]") ? { j: 1, k: -1 }[key] : { j: 1, k: -1, ArrowDown: 1, ArrowUp: -1 }[key];
      if (step) { event.preventDefault(); walk(step); }
    };
    addEventListener("hashchange", () => setOpen(here()));
    addEventListener("keydown", pressed);
    navigator.serviceWorker?.addEventListener("message", ({ data }) => { if (data.open) location.hash = data.open; });
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

function useMessage() {
  const [message, setMessage] = useState(null);
  const [out, setOut] = useState(false);
  useEffect(() => { addEventListener("signed-out", () => setOut(true)); }, []);
  useEffect(() => {
    const timer = message && !message.kind && setTimeout(setMessage, MESSAGE_FOR, null);
    return () => clearTimeout(timer);
  }, [message]);
  return [(text, kind) => setMessage({ text, kind }), html`<div class="said" role="alert">${message && html`<p>${message.text}<${Round} icon="away" label="Dismiss" onClick=${() => setMessage(null)} /></p>`}</div>
    ${out && html`<p class="out" role="alert">You are signed out. Your unsent messages are kept. <a class="button" href="sign-in">Sign in again</a></p>`}`];
}

function App() {
  const [view, live] = useLive();
  const { state, failure } = view;
  const [sheet, setSheet] = useState("");
  const open = useOpen(live, () => setSheet("more"));
  const [say, messages] = useMessage();
  const [, draw] = useState(0);
  const my = useRef({ bySid: new Map() }).current; // also the last state of conversations that are gone
  useCount(state);
  useEffect(() => {
    if (state && !failure) my.outbox.retry();
    if (state && my.device.on) my.device.register().catch(() => {});
  }, [Boolean(state && !failure)]);
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
      ? html`<a class="button" href="sign-in">Sign in</a>` : html`<button onClick=${() => live.look()}>Try again</button>`}</div>`}
  </section></div>`;
}

const place = document.getElementById("app");
place.replaceChildren();
place.removeAttribute("aria-busy");
render(html`<${App} />`, place);
