// The middle: the queue, and every conversation with its story.
import { clock, html, inWords, poolName, useState, workerName } from "./ui.js";

const SPANS = [[60, "1 min"], [600, "10 min"], [3600, "1 h"], [86400, "1 day"]];

// The clock of the whole local run: what waits for a minute need not be waited for.
function Time({ state, act }) {
  const [told, setTold] = useState("");
  const [busy, setBusy] = useState(false);
  const pass = async (seconds, name) => {
    setBusy(true);
    const done = await act("pass", { seconds });
    const mended = Object.entries(done?.found?.mended || {}).map(([what, count]) => `${what}: ${count}`);
    setTold(done ? `${name} has passed; the sweep: ${mended.join(", ") || "nothing to do"}.` : "");
    setBusy(false);
  };
  return html`<h2 id="time">Time <span class="note">${state.clock}${state.ahead ? `, ${inWords(state.ahead).replace(/ 0 \w+$/, "")} ahead` : ""}</span></h2>
    <div class="time" role="group" aria-labelledby="time">
      ${SPANS.map(([seconds, name]) => html`<button key=${name} class="plain small" disabled=${busy || !state.functions} aria-label=${`Let ${name} pass`} onClick=${() => pass(seconds, name)}>${name}</button>`)}
      <p class="note" role="status">${told || "Lets time pass at once, and then the sweep look."}</p>
    </div>`;
}

function titleOf(one) {
  return one.display_name || one.address || one.sid;
}

function Story({ one, note }) {
  if (one.log.length === 0) return html`<p class="empty story">Nothing is written down yet.</p>`;
  return html`<ol class="story" aria-label=${`Story of ${titleOf(one)}`}>
    ${one.log.map((line, index) => html`<li key=${index}><time>${clock(line.at)}</time><b>${line.what}</b><span>${line.why}</span></li>`)}
    ${note && html`<li><time></time><b></b><span>${note}</span></li>`}
  </ol>`;
}

function Conversation({ state, one, now, position }) {
  const [open, setOpen] = useState(false);
  const who = one.worker ? workerName(state, one.worker) : one.state === "unrouted" ? "nobody: not routed" : "nobody yet";
  const waiting = position !== undefined;
  return html`<li class="conversation ${open ? "open" : ""}">
    <button class="row" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      ${waiting && html`<span class="place">${position}</span>`}
      <span class="who"><b>${titleOf(one)}</b><small>${waiting && one.alone ? `for ${workerName(state, one.alone)}` : poolName(state, one.pool)}${waiting ? "" : `, ${who}`}</small>${one.outside_hours && html`<small>came outside the hours</small>`}</span>
      ${waiting ? html`<span class="age">${inWords(now - one.since)}</span>` : html`<span class="state ${one.state}">${one.state}</span>`}
    </button>
    ${open && html`<${Story} one=${one} />`}
  </li>`;
}

export function Service({ state, now, act }) {
  const records = new Map(state.conversations.map((one) => [one.sid, one]));
  const queue = state.queue.map((entry) => ({ ...(records.get(entry.sid) || { sid: entry.sid, log: [] }), pool: entry.pool, alone: entry.for_worker, since: entry.since }));
  const waiting = new Set(state.queue.map((entry) => entry.sid));
  const rest = state.conversations.filter((one) => !waiting.has(one.sid));
  return html`<section class="column" aria-labelledby="queue">
    ${state.standin && html`<${Time} state=${state} act=${act} />`}
    <h2 id="queue">Queue <span class="note">${queue.length ? `${queue.length} waiting` : "empty"}</span></h2>
    <div class="panel list" aria-live="polite">
      ${queue.length === 0 && html`<p class="empty">Nobody is waiting. With no worker Available, whoever writes next waits here.</p>`}
      <ol id="waiting">${queue.map((one, index) => html`<${Conversation} key=${one.sid} state=${state} one=${one} now=${now} position=${index + 1} />`)}</ol>
    </div>
    <h2>Conversations <span class="note">open one to read its story</span></h2>
    <div class="panel list">
      ${rest.length === 0 && html`<p class="empty">There are none yet.</p>`}
      <ul id="log">${rest.slice(0, 30).map((one) => html`<${Conversation} key=${one.sid} state=${state} one=${one} now=${now} />`)}</ul>
    </div>
  </section>`;
}
