// The page Conversations: a search of all conversations, an export, and the thread of one.
import { ask, change } from "./server.js";
import { Bones, Wrong, bare, clock, date, html, inWords, useAct, useEffect, useRef, useState } from "./parts.js";
import { Thread, stateName } from "./thread.js";
import { address } from "./desk.js";

const NONE = { query: "", state: "", pool: "", worker: "", since: "", until: "" };
const asBody = ({ since, until, ...rest }) => ({ ...rest, since: since || null, until: until || null });
const when = (at) => (at ? `${date(at)}, ${clock(at)}` : "");

// The first page 300 ms after the last key, and further pages on request: [found, what went wrong, more].
function useSearch(filters) {
  const [found, setFound] = useState(null);
  const [wrong, setWrong] = useState("");
  const latest = useRef(0);
  const load = async (after, before = []) => {
    const my = ++latest.current;
    try {
      const answer = await change("conversations", { ...asBody(filters), after });
      if (my === latest.current) { setFound({ ...answer, conversations: [...before, ...answer.conversations] }); setWrong(""); }
    } catch (failure) {
      if (my === latest.current) setWrong(failure.message);
    }
  };
  useEffect(() => {
    const timer = setTimeout(() => load(""), found ? 300 : 0);
    return () => clearTimeout(timer);
  }, [JSON.stringify(filters)]);
  return [found, wrong, () => load(found.next, found.conversations), () => load("")];
}

function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const Choice = ({ label, name, filters, set, options }) => html`<select aria-label=${label} value=${filters[name]} onChange=${(event) => set(name, event.currentTarget.value)}>
  <option value="">${label}: all</option>${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === filters[name]}>${text}</option>`)}</select>`;
const Day = ({ label, name, filters, set }) => html`<label class="unit"><span class="soft">${label}</span><input type="date" value=${filters[name]} onChange=${(event) => set(name, event.currentTarget.value)} /></label>`;

function Export({ filters, say }) {
  const [busy, wrong, run] = useAct(async () => {
    const { csv, rows, whole } = await change("conversations/export", asBody(filters));
    download(`conversations-${new Date().toISOString().slice(0, 10)}.csv`, `\ufeff${csv}`);
    say(whole ? `${rows} conversations exported.` : `The newest ${rows} conversations are exported. Choose fewer days for the others.`);
  });
  return html`<button type="button" class="plain" disabled=${busy} onClick=${run}>Export CSV</button><${Wrong}>${wrong}<//>`;
}

function Table({ found, chosen }) {
  const { conversations } = found;
  return html`<div class="scroller"><table aria-label="Conversations"><thead><tr><th>Customer</th><th>State</th><th>Worker</th><th class="wide">Pool</th><th>Arrived</th><th class="wide">Waited</th><th class="wide">Last message</th></tr></thead>
    <tbody>${conversations.length === 0 && html`<tr><td colspan="7" class="nothing">No conversations match.</td></tr>`}
      ${conversations.map((one) => html`<tr key=${one.sid} aria-selected=${one.sid === chosen}>
        <td><a href=${address("conversations", one.sid)}>${one.name}</a>${bare(one.address) !== one.name && html`<br /><small class="soft once">${bare(one.address)}</small>`}</td>
        <td>${stateName(one.state)}</td><td>${one.worker}</td><td class="wide">${one.pool}</td><td class="once">${when(one.arrived)}</td>
        <td class="once wide">${one.waited === null ? "" : inWords(one.waited * 1000)}</td><td class="soft wide last" dir="auto">${one.last}</td></tr>`)}</tbody></table></div>`;
}

export function Page({ rest: [sid], say }) {
  const [filters, setFilters] = useState(NONE);
  const [found, wrong, more, again] = useSearch(filters);
  const [team, setTeam] = useState(null);
  useEffect(() => { if (sid && !team) ask("now").then(setTeam, (failure) => say(failure.message, { kind: "bad" })); }, [sid]);
  const set = (name, value) => setFilters((before) => ({ ...before, [name]: value }));
  const pairs = (all) => (all || []).map(({ id, name }) => [id, name]);
  const shared = { filters, set };
  return html`<h1 class="hidden">Conversations</h1>
    <form class="toolbar" role="search" onSubmit=${(event) => { event.preventDefault(); again(); }}>
      <input class="grow" type="search" aria-label="Search" placeholder="Customer's name or number, or a worker" value=${filters.query} onInput=${(event) => set("query", event.currentTarget.value)} />
      <${Choice} label="State" name="state" ...${shared} options=${(found?.states || []).map((state) => [state, stateName(state)])} />
      <${Choice} label="Pool" name="pool" ...${shared} options=${pairs(found?.pools)} />
      <${Choice} label="Worker" name="worker" ...${shared} options=${pairs(found?.workers)} />
      <${Day} label="From" name="since" ...${shared} /><${Day} label="To" name="until" ...${shared} />
      <${Export} filters=${filters} say=${say} />
    </form>
    <${Wrong}>${wrong}<//>
    <div class=${sid ? "columns side opened" : "stack"}>
      <section class="panel">${found ? html`<${Table} found=${found} chosen=${sid} />` : !wrong && html`<${Bones} />`}
        ${found?.next && html`<p class="toolbar"><button class="plain" onClick=${more}>Show more</button></p>`}</section>
      ${sid && team && html`<${Thread} key=${sid} sid=${sid} team=${team} say=${say} onBack=${() => { location.hash = address("conversations").slice(1); }} onDone=${again} />`}
    </div>`;
}
