// The page Now: what needs attention, who waits, who works.
import { ago, ask, change } from "./server.js";
import { Bones, Round, Switch, Wrong, clock, date, day, html, inWords, useAct, useEffect, useRef, useState } from "./parts.js";
import { HandOver, Thread, loadOf } from "./thread.js";
import { address } from "./desk.js";

const [LIVELY, QUIET] = [6000, 9000]; // milliseconds between looks: after a change, and without one

// [the team, what went wrong, look again]. It looks while the page is visible, and reads only what has changed.
export function useTeam() {
  const [team, setTeam] = useState(null);
  const [wrong, setWrong] = useState("");
  const [, draw] = useState(0);
  const live = useRef({ etag: undefined });
  useEffect(() => {
    const my = live.current;
    my.look = async () => {
      clearTimeout(my.timer);
      if (my.looking) { my.again = true; return; }
      my.looking = true;
      let answer = null;
      try {
        answer = await ask("now", "GET", undefined, my.etag);
        if (answer) { my.etag = answer.etag; setTeam(answer); }
        setWrong("");
      } catch (failure) {
        setWrong(failure.message);
      }
      my.looking = false;
      draw((times) => times + 1); // the ages
      if (my.over) return;
      if (my.again) { my.again = false; my.look(); } else if (!document.hidden) my.timer = setTimeout(my.look, answer ? LIVELY : QUIET);
    };
    const back = () => { if (!document.hidden) my.look(); };
    my.over = false;
    my.look();
    document.addEventListener("visibilitychange", back);
    return () => { my.over = true; clearTimeout(my.timer); document.removeEventListener("visibilitychange", back); };
  }, []);
  return [team, wrong, () => live.current.look()];
}

const short = (span) => (span < 60_000 ? `${Math.max(0, Math.floor(span / 1000))} s` : inWords(span));
const open = (page, sid) => { location.hash = address(page, sid).slice(1); };
const since = (at) => (at ? (day(at) === "Today" ? clock(at) : date(at)) : "–");
const RECORDS = { pools: ["setup", "pools"], settings: ["setup", "routing"], workers: ["people", "workers"], customers: ["people", "customers"] };

function record(path) {
  const [kind, ...name] = path.split("/");
  const place = RECORDS[kind] || ["now"];
  return address(...place, ...(kind === "settings" ? [] : [name.join("/")]));
}

const Attention = ({ items }) => html`<section class="panel"><h2>Needs attention${items.length ? ` (${items.length})` : ""}</h2>
  <ul role="list" aria-label="Needs attention" class="attention">
    ${items.length === 0 && html`<li class="soft">Nothing needs attention.</li>`}
    ${items.map(({ what, why, sid, record: path }) => html`<li key=${`${what} ${why}`}><span><b>${what}</b> ${why}</span>
      ${sid ? html`<a href=${address("now", sid)}>Open</a>` : path && html`<a href=${record(path)}>Fix</a>`}</li>`)}
  </ul></section>`;

function Waiting({ team, chosen, give }) {
  const { waiting } = team;
  const longest = waiting.reduce((most, one) => Math.max(most, ago(one.since)), 0);
  return html`<section class="panel"><h2>Waiting (${waiting.length}${team.more_waiting ? " and more" : ""})${waiting.length ? `, the longest ${short(longest)}` : ""}</h2>
    <div class="scroller"><table aria-label="Waiting"><thead><tr><th class="number wide" title="Position in the pool">#</th><th>Customer</th><th>Waits</th><th>Pool</th><th class="wide">Why</th><th><span class="hidden">Actions</span></th></tr></thead>
    <tbody>${waiting.length === 0 && html`<tr><td colspan="6" class="nothing">No customers are waiting.</td></tr>`}
      ${waiting.map((one) => html`<tr key=${one.sid} aria-selected=${one.sid === chosen} onKeyDown=${(event) => event.key === "g" && give(one)}>
        <td class="number wide">${one.position ?? ""}</td><td><a href=${address("now", one.sid)}>${one.name}</a>${one.priority !== 0 && html` <span class="tag">priority ${one.priority}</span>`}</td>
        <td class="once">${short(ago(one.since))}</td><td>${one.pool || html`<span class="soft">for ${one.for}</span>`}</td><td class="soft wide reason">${one.why}</td>
        <td class="number"><${Round} icon="hand" label=${`Give ${one.name} to ...`} onClick=${() => give(one)} /></td></tr>`)}</tbody></table></div></section>`;
}

function Status({ worker, say, look }) {
  const to = worker.status === "Available" ? "Unavailable" : "Available";
  const [busy, wrong, run] = useAct(async () => {
    await change("now/status", { worker: worker.identity, status: to });
    say(`${worker.name} is ${to}.`);
    look();
  });
  return html`<${Switch} on=${worker.status === "Available"} label=${`${worker.name} Available`} title=${`Set ${worker.name} ${to}`} disabled=${busy || !worker.confirmed} onClick=${run} /><${Wrong}>${wrong}<//>`;
}

function Workers({ team, chosen, say, look }) {
  const { workers } = team;
  const available = workers.filter(({ status }) => status === "Available");
  const full = available.filter(({ load, capacity }) => capacity !== null && load >= capacity).length;
  const words = `${available.length - full} with room, ${full} full, ${workers.length - available.length} Unavailable`;
  return html`<section class="panel"><h2>Workers (${workers.length}${team.more_workers ? " and more" : ""})${workers.length ? `: ${words}` : ""}</h2>
    <div class="scroller"><table aria-label="Workers"><thead><tr><th>Worker</th><th>Status</th><th>Load</th><th class="wide">Since</th><th class="wide">Holds</th><th><span class="hidden">Actions</span></th></tr></thead>
    <tbody>${workers.length === 0 && html`<tr><td colspan="6" class="nothing">No workers yet. <a href=${address("people", "workers")}>Add the people who answer.</a></td></tr>`}
      ${workers.map((worker) => html`<tr key=${worker.identity}><td title=${worker.identity}>${worker.name}${worker.note && html`<br /><small class="soft">${worker.note}</small>`}</td>
        <td class="once ${worker.status}">${worker.status}${!worker.confirmed && html` <a class="tag" href=${address("people", "workers", worker.identity)}>not confirmed</a>`}</td>
        <td class="once">${loadOf(worker)}</td><td class="once wide">${since(worker.since)}</td>
        <td class="wide holds">${worker.held.map(({ sid, name }) => html`<a key=${sid} href=${address("now", sid)} aria-current=${sid === chosen ? "true" : undefined}>${name}</a>`)}</td>
        <td class="number"><${Status} worker=${worker} say=${say} look=${look} /></td></tr>`)}</tbody></table></div></section>`;
}

export function Page({ rest: [sid], say }) {
  const [team, wrong, look] = useTeam();
  const [given, give] = useState(null);
  if (!team) return wrong ? html`<${Wrong}>${wrong}<//>` : html`<${Bones} />`;
  const done = (sentence) => { give(null); say(sentence); look(); };
  return html`<h1 class="hidden">Now</h1>
    <${Wrong}>${wrong}<//>
    <div class=${sid ? "columns side opened" : "stack"}>
      <div class="stack"><${Attention} items=${team.attention} />
        <div class=${sid ? "stack" : "columns"}><${Waiting} team=${team} chosen=${sid} give=${give} /><${Workers} team=${team} chosen=${sid} say=${say} look=${look} /></div></div>
      ${sid && html`<${Thread} key=${sid} sid=${sid} team=${team} changed=${team.etag} say=${say} onBack=${() => open("now", "")} onDone=${look} />`}
    </div>
    ${given && html`<${HandOver} one=${{ ...given, worker: null }} team=${team} onDone=${done} onClose=${() => give(null)} />`}`;
}
