// People, Customers: search, a table, a form for each, and merging two records.
import { address } from "./desk.js";
import { Changes, FlagField, ListField, NumberField, Saving, TextField, useForm, useRecord } from "./forms.js";
import { change } from "./server.js";
import { Bones, Wrong, bare, date, html, useAct, useEffect, useState } from "./parts.js";

const path = (id, rest = "") => `customers/${encodeURIComponent(id)}${rest}`;
const go = (...parts) => { location.hash = address("people", "customers", ...parts); };

// [{ customers, next }, failure, reload, more]: what matches the query, some at a time.
function useCustomers(query) {
  const [found, setFound] = useState(null);
  const [failure, setFailure] = useState("");
  const load = (after) => change("customers/search", { query, after }).then((page) => {
    setFailure("");
    setFound((before) => (after && before ? { ...page, customers: [...before.customers, ...page.customers] } : page));
  }, (error) => setFailure(error.message));
  useEffect(() => { const timer = setTimeout(load, query ? 250 : 0); return () => clearTimeout(timer); }, [query]);
  return [found, failure, () => load(), () => load(found.next)];
}

function Table({ found, open, more }) {
  if (found.customers.length === 0) return html`<p class="nothing">No customers found.</p>`;
  return html`<div class="scroller" tabindex="0"><table aria-label="Customers"><thead><tr><th>Name</th><th>Addresses</th><th>Assigned worker</th><th class="number">Priority</th></tr></thead>
    <tbody>${found.customers.map((one) => html`<tr key=${one.id} aria-selected=${one.id === open ? "true" : undefined}>
      <td><a href=${address("people", "customers", one.id)}><bdi>${one.name}</bdi></a>${one.opted_out.length > 0 && html` <span class="tag bad">Opted out</span>`}${one.do_not_contact && html` <span class="tag bad">Do not contact</span>`}${one.problem && html`<br /><small class="wrong">${one.problem}</small>`}</td>
      <td>${one.addresses.join(", ")}</td><td>${one.worker || ""}</td><td class="number">${one.priority ?? ""}</td></tr>`)}</tbody></table></div>
    ${found.next && html`<button type="button" class="plain" onClick=${more}>Show more</button>`}`;
}

const text = (label, value, onInput) => html`<input type="text" class="grow" aria-label=${label} placeholder=${label} value=${value ?? ""} onInput=${(event) => onInput(event.currentTarget.value)} />`;

function Links({ form }) {
  const links = form.get("links") || [];
  const write = (next) => form.set("links", next.length ? next : undefined);
  const edit = (at, name, value) => write(links.map((link, number) => (number === at ? { ...link, [name]: value } : link)));
  return html`<fieldset class="field"><legend>Links</legend>${links.map((link, at) => html`<div class="toolbar" key=${at}>
      ${text("Label", link.display_name, (value) => edit(at, "display_name", value))}${text("Address", link.value, (value) => edit(at, "value", value))}
      <button type="button" class="plain" onClick=${() => write(links.filter((other, number) => number !== at))}>Remove</button></div>`)}
    <button type="button" class="plain" onClick=${() => write([...links, { type: "Website", value: "", display_name: "" }])}>Add link</button>
    ${form.errors.links && html`<p class="wrong" role="alert">${form.errors.links}</p>`}</fieldset>`;
}

function Details({ form }) {
  const details = form.get("details") || {};
  const edit = (name, value) => form.set("details", { ...details, [name]: value });
  return html`<fieldset class="field"><legend>Card</legend>${text("Title", details.title, (value) => edit("title", value))}
    <textarea rows="3" aria-label="Content" placeholder="Content" value=${details.content ?? ""} onInput=${(event) => edit("content", event.currentTarget.value)}></textarea>
    <small>Workers see it on the customer's card.</small></fieldset>`;
}

function OptedOut({ id, record, say, reload }) {
  const addresses = Object.entries(record.opted_out || {});
  const [busy, wrong, lift] = useAct(async (one) => { say((await change(path(id, "/lift"), { address: one })).said); reload(); });
  return addresses.length > 0 && html`<div class="notice"><p>Opted out:</p><ul>${addresses.map(([one, at]) => html`<li key=${one} class="toolbar"><span class="grow">${one}, since ${date(at)}</span>
    <button type="button" class="plain" disabled=${busy} onClick=${(event) => lift(event, one)}>Lift</button></li>`)}</ul><small>Lift it only if the customer asked for messages.</small><${Wrong}>${wrong}<//></div>`;
}

// Both records side by side; what the other one has in addition is kept.
function Merging({ id, loaded, say, reload, onClose }) {
  const [query, setQuery] = useState("");
  const [found] = useCustomers(query);
  const [into, setInto] = useState("");
  const [kept] = useRecord(into ? `records/${path(into)}` : `records/${path(id)}`);
  const [busy, wrong, merge] = useAct(async () => {
    const { id: merged, said } = await change(path(id, "/merge"), { into, version: loaded.version, into_version: kept.version });
    say(said);
    reload();
    go(merged);
  });
  const others = (found?.customers || []).filter((one) => one.id !== id).slice(0, 8);
  const side = (record, name) => html`<div class="panel"><strong>${record.display_name || name}</strong><ul>${(record.addresses || []).map((one) => html`<li key=${one}>${one}</li>`)}</ul>
    <small class="soft">${[record.worker && `Assigned worker ${record.worker}`, record.language, record.details?.title].filter(Boolean).join(" · ")}</small></div>`;
  return html`<div class="conflict"><label>Merge with <input type="search" aria-label="Merge with" value=${query} onInput=${(event) => setQuery(event.currentTarget.value)} /></label>
    ${!into && html`<ul>${others.map((one) => html`<li key=${one.id}><button type="button" class="plain" onClick=${() => setInto(one.id)}>${one.name} · ${one.addresses.map(bare).join(", ")}</button></li>`)}</ul>`}
    ${into && kept && html`<div class="columns">${side(loaded.record, id)}${side(kept.record, into)}</div>
      <p>The second record is kept with the addresses, links and notes of both. The first one is removed.</p>`}
    <${Wrong}>${wrong}<//><div class="toolbar">${into && html`<button type="button" disabled=${busy || !kept} onClick=${merge}>Merge</button>`}<button type="button" class="plain" onClick=${onClose}>Cancel</button></div></div>`;
}

function Form({ id, loaded, say, reload }) {
  const [merging, setMerging] = useState(false);
  const form = useForm({ path: `records/${path(id)}`, loaded, title: loaded.record.display_name || id, say, onSaved: reload });
  const { record } = loaded;
  return html`<form class="record" onSubmit=${form.save}>
      ${loaded.problem && html`<p class="notice">${loaded.problem}</p>`}
      <${TextField} form=${form} name="display_name" label="Name" />
      <${ListField} form=${form} name="addresses" label="Addresses" hint="One in each line: +12345678, whatsapp:+12345678, ada@example.com." />
      <${TextField} form=${form} name="worker" label="Assigned worker" hint="In the mode Custom this worker gets the customer's conversations." />
      <${NumberField} form=${form} name="priority" label="Priority" hint="Larger goes first; empty: the pool's." />
      <${TextField} form=${form} name="language" label="Language" hint="Of texts and templates, such as en or de." />
      <${TextField} form=${form} name="avatar" label="Picture" hint="An address on the web." />
      <${Details} form=${form} /><${Links} form=${form} />
      <${FlagField} form=${form} name="do_not_contact" label="Do not contact" hint="Workers can answer, but not write first." />
      <${Saving} form=${form} />
    </form>
    <${OptedOut} ...${{ id, record, say, reload }} />
    ${(record.notes || []).length > 0 && html`<details class="changes"><summary>Notes</summary><ul>${record.notes.map((note, at) => html`<li key=${at}><bdi>${note.text}</bdi> <small class="soft">${note.by}, ${note.at && date(note.at)}</small></li>`)}</ul></details>`}
    <${Changes} changes=${loaded.changes} />
    ${merging ? html`<${Merging} ...${{ id, loaded, say, reload }} onClose=${() => setMerging(false)} />` : html`<button type="button" class="plain" onClick=${() => setMerging(true)}>Merge with ...</button>`}`;
}

function Open({ id, say, reload }) {
  const [loaded, failure, again] = useRecord(`records/${path(id)}`);
  const both = () => { again(); reload(); };
  return html`<section class="panel" aria-label="Customer"><div class="toolbar"><h2 class="grow"><bdi>${loaded?.record.display_name || id}</bdi></h2><a href=${address("people", "customers")}>Close</a></div>
    ${failure ? html`<p class="wrong" role="alert">${failure}</p>` : !loaded ? html`<${Bones} />` : html`<${Form} ...${{ id, loaded, say }} reload=${both} />`}</section>`;
}

export function Customers({ say, open }) {
  const [query, setQuery] = useState("");
  const [found, failure, reload, more] = useCustomers(query);
  return html`<div class=${open ? "columns side" : ""}>
    <section class="panel"><div class="toolbar"><input type="search" class="grow" aria-label="Search customers" placeholder="Name or number" value=${query} onInput=${(event) => setQuery(event.currentTarget.value)} /></div>
      <${Wrong}>${failure}<//>${found ? html`<${Table} found=${found} open=${open} more=${more} />` : html`<${Bones} />`}</section>
    ${open && html`<${Open} key=${open} id=${open} say=${say} reload=${reload} />`}
  </div>`;
}
