// The list: who waits for me, who has been answered, and the switch.
import { change, now } from "./api.js";
import { Avatar, Icon, html, useAct, useEffect, useRef } from "./parts.js";
import { age, bare, channelName, clock, count, urgency, waited } from "./words.js";

export const nameOf = (one) => one.name || bare(one.address) || "Unknown";
export const waits = (one) => Boolean(one.awaiting_since) || one.unread > 0;

// Who waits for an answer first, the longest wait on top; then the newest word.
export function inOrder(conversations) {
  const since = (one) => Date.parse(one.awaiting_since || 0);
  const last = (one) => Date.parse(one.last?.at || one.assigned_at || 0);
  return [...conversations].sort((one, other) => {
    if (Boolean(one.awaiting_since) !== Boolean(other.awaiting_since)) return one.awaiting_since ? -1 : 1;
    return one.awaiting_since ? since(one) - since(other) : last(other) - last(one);
  });
}

function Preview({ one, me }) {
  if (!one.last) return html`<span class="preview">No message yet</span>`;
  const text = one.last.text || "Picture or file";
  return html`<span class="preview">${one.last.from === "worker" ? `${one.mine ? "You" : "Team"}: ` : ""}${text}</span>`;
}

export function Waiting({ since }) {
  return html`<span class="wait ${urgency(since, now())}">Waits ${waited(since, now())}</span>`;
}

function Row({ one, open, me, outbox }) {
  const failed = outbox.of(one.sid).some((entry) => entry.state === "failed");
  return html`<li>
    <a class="row ${one.unread ? "new" : ""}" href=${`#${one.sid}`} id=${`row-${one.sid}`} aria-current=${open ? "true" : undefined}>
      <${Avatar} name=${nameOf(one)} picture=${one.avatar} />
      <span class="name">${nameOf(one)}</span>
      <span class="age">${one.last ? age(one.last.at, now()) : ""}</span>
      <${Preview} one=${one} me=${me} />
      ${one.unread ? html`<span class="unread">${one.unread}<span class="hidden"> unread</span></span>` : html`<span></span>`}
      <span class="tags">
        ${one.awaiting_since && html`<${Waiting} since=${one.awaiting_since} />`}
        <span class="tag">${channelName(one.channel)}</span>
        ${one.state === "inactive" && html`<span class="tag">Asleep</span>`}
        ${!one.mine && html`<span class="tag">Joined</span>`}
        ${(failed || one.undelivered > 0) && html`<span class="wait late">${failed ? "Not sent" : "Not delivered"}</span>`}
      </span>
    </a>
  </li>`;
}

export function Switch({ me, live, say }) {
  const on = me.status === "Available";
  const { busy, error, run } = useAct(async () => {
    await change("status", { status: on ? "Unavailable" : "Available" });
    await live.look();
    live.soon();
  });
  useEffect(() => { if (error) say(error); }, [error]);
  return html`<button class="switch" role="switch" aria-checked=${on} aria-busy=${busy} onClick=${run}><span>Available</span><i class="knob"></i></button>`;
}

function told({ state, failure, at }) {
  if (failure) return html`<span class="lost">${failure.message}</span> You see the inbox as of ${clock(at)}.`;
  if (state.me.status !== "Available") return "You are not Available: nobody new comes to you.";
  if (state.waiting === null) return "You are Available.";
  return state.waiting ? `${count(state.waiting, "customer")} in the queue` : "Nobody is in the queue.";
}

function Empty({ state }) {
  const away = state.me.status !== "Available";
  const why = state.empty || (away ? "You are not Available. Turn the switch on, and the next customer comes to you."
    : "Nobody waits. The next customer comes here by itself.");
  return html`<div class="nothing"><span class="disc"><${Icon} name=${away ? "away" : "done"} /></span><p>${why}</p></div>`;
}

export function List({ view, open, outbox, live, say, onSheet }) {
  const { state } = view;
  const conversations = inOrder(state.conversations);
  const list = useRef(null);
  useKeys(list, open);
  return html`<section class="side" aria-label="Inbox">
    <div class="top">
      <h1>Inbox</h1>
      <${Switch} me=${state.me} live=${live} say=${say} />
      <button class="quiet round" aria-label="Write to a customer" title="Write to a customer" onClick=${() => onSheet("write")}><${Icon} name="write" /></button>
      <button class="quiet round" aria-label="More" title="More" onClick=${() => onSheet("more")}><${Icon} name="more" /></button>
    </div>
    <p class="told" role="status">${told(view)}</p>
    ${state.me.note && html`<p class="notice">${state.me.note}</p>`}
    <div class="scroll">
      ${conversations.length === 0 && html`<${Empty} state=${state} />`}
      <ul role="list" aria-label="Conversations" ref=${list} class="rows">
        ${conversations.map((one) => html`<${Row} key=${one.sid} one=${one} me=${state.me} open=${one.sid === open} outbox=${outbox} />`)}
      </ul>
    </div>
  </section>`;
}

// j and k, or the arrows, walk through the list; Enter opens, as it does with any link.
function useKeys(list, open) {
  useEffect(() => {
    const walk = (event) => {
      const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("textarea, input, select, dialog, [role=log]")) return;
      const rows = [...list.current.querySelectorAll("a")];
      const here = rows.indexOf(document.activeElement.closest("a"));
      const from = here >= 0 ? here : rows.findIndex((row) => row.getAttribute("aria-current"));
      const next = rows[Math.min(rows.length - 1, Math.max(0, from + step))];
      if (!next || !next.offsetParent) return;
      event.preventDefault();
      next.focus();
    };
    addEventListener("keydown", walk);
    return () => removeEventListener("keydown", walk);
  }, [open]);
}
