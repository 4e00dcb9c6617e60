// The inbox: the list, the conversation beside it or instead of it, and what opens over both.
import { render } from "./preact.js";
import { signedOut } from "./api.js";
import { Conversation } from "./conversation.js";
import { Device } from "./devices.js";
import { List, waits } from "./list.js";
import { Live } from "./live.js";
import { Outbox } from "./outbox.js";
import { Icon, html, useEffect, useRef, useState } from "./parts.js";
import { More, WriteFirst } from "./sheets.js";

const SAID_FOR = 6000; // milliseconds that a sentence about what was done stays

const here = () => decodeURIComponent(location.hash.slice(1));

// What the server says, and when it said so last; the last state stays readable when it does not answer.
function useLive() {
  const [view, setView] = useState({ state: null, failure: null, at: 0, looks: 0 });
  const live = useRef(null);
  live.current ??= new Live(({ state, failure }) => setView((before) => ({
    state: state || before.state,
    failure: failure || null,
    at: failure ? before.at : Date.now(),
    looks: before.looks + 1,
  })));
  useEffect(() => { live.current.start(); }, []);
  return [view, live.current];
}

// Which conversation is open stands in the address: back is the browser's back, and a reload stays.
function useOpen(live) {
  const [open, setOpen] = useState(here);
  useEffect(() => {
    const moved = () => setOpen(here());
    const rung = (event) => { if (event.data?.open) location.hash = event.data.open; };
    addEventListener("hashchange", moved);
    navigator.serviceWorker?.addEventListener("message", rung);
    return () => removeEventListener("hashchange", moved);
  }, []);
  live.open = open;
  return open;
}

function useTold(number) {
  useEffect(() => {
    document.title = number ? `(${number}) Inbox` : "Inbox";
    (number ? navigator.setAppBadge?.(number) : navigator.clearAppBadge?.())?.catch(() => {});
  }, [number]);
}

function Said({ said, dismiss }) {
  useEffect(() => {
    if (!said?.passing) return undefined;
    const timer = setTimeout(dismiss, SAID_FOR);
    return () => clearTimeout(timer);
  }, [said]);
  return html`<div class="said" role="alert">${said && html`<p class=${said.passing ? "" : "bad"}>${said.text}
    <button class="quiet round" aria-label="Dismiss" onClick=${dismiss}><${Icon} name="away" /></button></p>`}</div>`;
}

function SignedOut() {
  const [out, setOut] = useState(false);
  useEffect(() => { signedOut.addEventListener("out", () => setOut(true)); }, []);
  return out && html`<p class="out" role="alert">You are signed out. What you wrote is kept. <a class="button" href="sign-in">Sign in again</a></p>`;
}

function App() {
  const [view, live] = useLive();
  const open = useOpen(live);
  const [said, setSaid] = useState(null);
  const [sheet, setSheet] = useState("");
  const [, draw] = useState(0);
  const outbox = useRef(null);
  const device = useRef(null);
  const seen = useRef(new Map()); // what was known of a conversation that is gone
  const { state } = view;
  useTold(state ? state.conversations.filter(waits).length : 0);
  useEffect(() => {
    const back = () => outbox.current?.retry();
    addEventListener("online", back);
    return () => removeEventListener("online", back);
  }, []);
  useEffect(() => { if (!view.failure) outbox.current?.retry(); }, [Boolean(view.failure)]);
  useEffect(() => { if (device.current?.on()) device.current.tell().catch(() => {}); }, [Boolean(state)]);
  useKeys({ open, onBack: back, onHelp: () => setSheet("more") });
  if (!state) return html`<${Starting} failure=${view.failure} live=${live} />`;

  const { me } = state;
  outbox.current ??= new Outbox(me.identity, () => draw((times) => times + 1));
  device.current ??= new Device(me.identity, state.push_key);
  for (const one of state.conversations) seen.current.set(one.sid, one);
  const one = open && (seen.current.get(open) || { sid: open, name: "Conversation", channel: "", address: "", unread: 0, why: "" });
  const say = (text, passing = false) => setSaid({ text, passing });
  const close = () => setSheet("");
  return html`<div class="both ${one ? "inside" : ""}">
    <${List} view=${view} open=${open} outbox=${outbox.current} live=${live} say=${say} onSheet=${setSheet} />
    ${one ? html`<${Conversation} key=${open} one=${one} view=${view} looks=${view.looks} outbox=${outbox.current} live=${live} say=${say} onBack=${back} />`
      : html`<div class="pane none"><p>Choose a conversation.<small>j and k walk through the list, Enter opens, ? shows all keys.</small></p></div>`}
    <${Said} said=${said} dismiss=${() => setSaid(null)} />
    <${SignedOut} />
    ${sheet === "write" && html`<${WriteFirst} onClose=${close} onDone=${(sid) => { close(); location.hash = sid; live.look(); live.soon(); }} />`}
    ${sheet === "more" && html`<${More} me=${me} device=${device.current} unsent=${outbox.current.entries.filter((entry) => entry.state !== "sent").length} onClose=${close} />`}
  </div>`;
}

// Back to the list, with the focus where it was.
function back() {
  const row = `row-${here()}`;
  if (!here()) return;
  history.pushState(null, "", location.pathname + location.search);
  dispatchEvent(new HashChangeEvent("hashchange"));
  requestAnimationFrame(() => document.getElementById(row)?.focus());
}

function useKeys({ open, onBack, onHelp }) {
  useEffect(() => {
    const heard = (event) => {
      const writing = event.target.closest?.("textarea, input, select");
      if (event.defaultPrevented || document.querySelector("dialog[open]")) return;
      if (event.key === "Escape" && open) onBack();
      if (event.key === "?" && !writing) onHelp();
    };
    addEventListener("keydown", heard);
    return () => removeEventListener("keydown", heard);
  }, [open]);
}

function Starting({ failure, live }) {
  return html`<div class="both"><section class="side" aria-label="Inbox">
    <div class="top"><h1>Inbox</h1></div>
    ${failure ? html`<div class="nothing"><p role="alert">${failure.message}</p>
        ${failure.status === 401 ? html`<a class="button" href="sign-in">Sign in</a>` : html`<button onClick=${() => live.look()}>Try again</button>`}</div>`
      : html`<p class="told">Loading your conversations</p><div class="bones"><i></i><i></i><i></i><i></i></div>`}
  </section><div class="pane none"></div></div>`;
}

const place = document.getElementById("app");
place.replaceChildren();
place.removeAttribute("aria-busy");
render(html`<${App} />`, place);
