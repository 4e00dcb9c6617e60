// The page Reports: the figures of any span as a table, two pictures and a CSV file.
import { ask } from "./server.js";
import { html, useEffect, useState, Wrong } from "./parts.js";

const BY = { day: "Day", hour: "Hour", pool: "Pool", worker: "Worker" };
const PRESETS = [["Today", 0, 0], ["Yesterday", 1, 1], ["Last 7 days", 7, 1], ["Last 30 days", 30, 1]];
const WIDTH = 480;
const HEIGHT = 120;

const daysAgo = (count) => {
  const at = new Date();
  at.setDate(at.getDate() - count);
  const part = (number) => String(number).padStart(2, "0");
  return `${at.getFullYear()}-${part(at.getMonth() + 1)}-${part(at.getDate())}`;
};

const seconds = (value) => {
  if (value < 60) return `${Math.round(value)} s`;
  const minutes = Math.round(value / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};
const FORMATS = {
  count: (value) => value.toLocaleString("en"),
  share: (value) => `${Math.round(value * 100)} %`,
  hours: (value) => value.toFixed(1),
  seconds: (value) => (typeof value === "string" ? "over 1 h" : seconds(value)),
};
const shown = (kind, value) => (value === null ? "–" : FORMATS[kind](value));

// Asks until all days are read; `onProgress(done, of)` after each answer.
async function load(query, isCurrent, onProgress) {
  for (;;) {
    const answer = await ask(`reports?${query}`);
    if (!isCurrent() || answer.rows) return answer;
    onProgress(answer.done, answer.of);
  }
}

function useReport(from, to, by) {
  const [state, setState] = useState({});
  useEffect(() => {
    let current = true;
    setState((before) => ({ report: before.report, busy: true }));
    const query = new URLSearchParams({ from, to, by });
    const progress = (done, of) => current && setState((before) => ({ ...before, done, of }));
    load(query, () => current, progress).then(
      (report) => current && setState({ report }),
      (failure) => current && setState({ wrong: failure.message }));
    return () => { current = false; };
  }, [from, to, by]);
  return state;
}

function Picture({ title, name, kind, rows }) {
  const values = rows.map((row) => Number(row[name]) || 0);
  const top = Math.max(...values, 0);
  const step = WIDTH / Math.max(rows.length, 1);
  const most = top ? `, at most ${shown(kind, top)}` : "";
  return html`<figure class="panel picture"><figcaption>${title}<span class="soft">${most}</span></figcaption>
    <svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}${most}" preserveAspectRatio="none">
      ${rows.map((row, index) => {
        const height = top ? (values[index] / top) * (HEIGHT - 4) : 0;
        return html`<rect key=${row.key} x=${index * step + step * 0.15} y=${HEIGHT - height} width=${step * 0.7} height=${height}>
          <title>${row.label}: ${shown(kind, row[name])}</title></rect>`;
      })}
    </svg>
    <p class="soft ends"><span>${rows[0]?.label}</span><span>${rows.length > 1 ? rows[rows.length - 1].label : ""}</span></p></figure>`;
}

function Rows({ report }) {
  const cells = (row) => report.columns.map(([name, , kind]) => html`<td key=${name} class="number">${shown(kind, row[name])}</td>`);
  return html`<div class="panel scroller figures" role="region" tabindex="0" aria-label="Figures"><table aria-label="By ${report.by}">
    <thead><tr><th scope="col">${BY[report.by]}</th>${report.columns.map(([name, title]) => html`<th key=${name} scope="col" class="number">${title}</th>`)}</tr></thead>
    <tbody>${report.rows.map((row) => html`<tr key=${row.key}><th scope="row">${row.label}</th>${cells(row)}</tr>`)}</tbody>
    <tfoot><tr><th scope="row">All</th>${cells(report.total)}</tr></tfoot></table></div>`;
}

function save(report, from, to) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([report.csv], { type: "text/csv" }));
  link.download = `report-by-${report.by}-${from}-${to}.csv`;
  link.click();
  setTimeout(URL.revokeObjectURL, 1000, link.href);
}

const Notes = ({ report }) => html`<p class="soft">Days and hours in ${report.zone}. Target: ${report.target} s.
  ${report.available_since ? html` Hours Available are known since ${new Date(report.available_since).toLocaleDateString("en-GB")}.` : " No change of a status is stored yet, so hours Available are not known."}
  ${report.by === "pool" && " The time of a worker with several pools counts in each, once in All."}</p>`;

function Controls({ from, to, by, report, go }) {
  const submit = (event) => {
    event.preventDefault();
    const form = new FormData(event.target);
    go(form.get("from"), form.get("to"), by);
  };
  return html`<form class="toolbar" key="${from} ${to}" onSubmit=${submit}>
    <label>From <input type="date" name="from" required defaultValue=${from} value=${from} max=${daysAgo(0)} /></label>
    <label>To <input type="date" name="to" required defaultValue=${to} value=${to} max=${daysAgo(0)} /></label>
    <button>Show</button>
    ${PRESETS.map(([label, first, last]) => html`<button key=${label} type="button" class="plain" onClick=${() => go(daysAgo(first), daysAgo(last), by)}>${label}</button>`)}
    <label>By <select aria-label="By" value=${by} onChange=${(event) => go(from, to, event.target.value)}>
      ${Object.entries(BY).map(([value, label]) => html`<option key=${value} value=${value}>${label}</option>`)}</select></label>
    <button type="button" class="plain" disabled=${!report} onClick=${() => save(report, from, to)}>Export CSV</button>
  </form>`;
}

export function Page({ rest }) {
  const [from = daysAgo(7), to = daysAgo(0), chosen = "day"] = rest;
  const by = BY[chosen] ? chosen : "day";
  const { report, busy, wrong, done, of } = useReport(from, to, by);
  const go = (...parts) => { location.hash = `reports/${parts.map(encodeURIComponent).join("/")}`; };
  return html`<h1>Reports</h1>
    <${Controls} ...${{ from, to, by, go }} report=${busy ? null : report} />
    ${wrong && html`<${Wrong}>${wrong}<//>`}
    ${busy && html`<p role="status">${of ? `${done} of ${of} days are read` : "Reading"} <progress aria-label="Days read" max=${of} value=${done}></progress></p>`}
    ${report && html`<div class="columns">
      <${Picture} title="Arrived" name="arrived" kind="count" rows=${report.rows} />
      <${Picture} title="Average wait" name="average_wait" kind="seconds" rows=${report.rows} /></div>
      <${Rows} report=${report} /><${Notes} report=${report} />`}`;
}
