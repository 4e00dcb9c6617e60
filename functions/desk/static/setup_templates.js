// Setup, Templates: ready-made messages, with WhatsApp's approval.
import { address } from "./desk.js";
import { Changes, FlagField, NumberField, Saving, TextField, useForm, useRecord } from "./forms.js";
import { ask, change } from "./server.js";
import { Bones, Wrong, html, useAct, useEffect, useState } from "./parts.js";

const GOOD = "approved";

function Approval({ template }) {
  if (!template.content_sid) return html`<span class="soft">Text only</span>`;
  const status = template.approval || "not known";
  return html`<span class="tag ${status === GOOD ? "good" : "bad"}">${status}</span>${template.reason && html` <small class="soft">${template.reason}</small>`}`;
}

function List({ templates, open }) {
  if (templates.length === 0) return html`<p class="nothing">No templates yet. Add one, or take over Twilio's with Sync now.</p>`;
  return html`<div class="scroller" tabindex="0"><table aria-label="Templates"><thead><tr><th>Template</th><th>Category</th><th>Language</th><th>WhatsApp</th></tr></thead>
    <tbody>${templates.map((one) => html`<tr key=${one.id} aria-selected=${one.id === open ? "true" : undefined}>
      <td><a href=${address("setup", "templates", one.id)}>${one.id}</a><br /><small class="soft">${one.content.slice(0, 90)}</small>${one.problem && html`<br /><small class="wrong">${one.problem}</small>`}</td>
      <td>${one.category}</td><td>${one.language || "all"}</td><td><${Approval} template=${one} /></td></tr>`)}</tbody></table></div>`;
}

// The names of the variables with their texts; Twilio fills {{1}} in its template with the first.
function Variables({ form }) {
  const value = form.get("variables") || {};
  const pairs = Object.entries(value);
  const write = (next) => form.set("variables", next.length ? Object.fromEntries(next) : undefined);
  const edit = (at, index, text) => write(pairs.map((pair, number) => (number === at ? pair.with(index, text) : pair)));
  return html`<fieldset class="field"><legend>Variables</legend>
    ${pairs.map(([name, text], at) => html`<div class="toolbar" key=${at}>
      <input type="text" class="short" aria-label="Variable" value=${name} onChange=${(event) => edit(at, 0, event.currentTarget.value)} />
      <input type="text" class="grow" aria-label=${`Text of ${name}`} value=${text} onInput=${(event) => edit(at, 1, event.currentTarget.value)} />
      <button type="button" class="plain" aria-label=${`Remove variable ${name}`} onClick=${() => write(pairs.filter((pair, number) => number !== at))}>Remove</button></div>`)}
    <button type="button" class="plain" onClick=${() => write([...pairs, [String(pairs.length + 1), "{{Name}}"]])}>Add variable</button>
    <small>${pairs.length ? `WhatsApp's template gets ${pairs.map(([name]) => `{{${name}}}`).join(", ")} filled with these texts.` : "A template with blanks such as {{1}} needs a text for each."}</small>
    ${form.errors.variables && html`<p class="wrong" role="alert">${form.errors.variables}</p>`}</fieldset>`;
}

function usePreview(id, form) {
  const [look, setLook] = useState(null);
  const fields = Object.fromEntries(["content", "language", "content_sid", "variables"].map((name) => [name, form.get(name) ?? null]));
  const typed = JSON.stringify(fields);
  useEffect(() => {
    let current = true;
    const see = () => change(`setup/templates/${encodeURIComponent(id)}/look`, { fields }).then((answer) => current && setLook(answer), () => {});
    const timer = setTimeout(see, look ? 300 : 0);
    return () => { current = false; clearTimeout(timer); };
  }, [typed]);
  return look;
}

function Form({ id, loaded, say, reload }) {
  const [version, setVersion] = useState(loaded.version);
  const onSaved = (answer) => { setVersion(answer.version); reload(); };
  const form = useForm({ path: `records/templates/${encodeURIComponent(id)}`, loaded, title: id, say, onSaved });
  const look = usePreview(id, form);
  const [busy, failed, remove] = useAct(async () => {
    await change(`records/templates/${encodeURIComponent(id)}/remove`, { version });
    form.discard();
    say(`${id} is removed.`);
    await reload();
    location.hash = address("setup", "templates");
  });
  const language = form.get("language");
  const order = form.get("order") ?? 0;
  return html`<form class="panel record" aria-label=${`Template ${id}`} onSubmit=${form.save}><h2>${id}</h2>
    ${loaded.problem && html`<p class="notice">${loaded.problem}</p>`}
    <${TextField} form=${form} name="content" label="Text" rows="4" hint="It may have {{Name}}, {{Author}}, {{customer.FIELD}} and {{worker.FIELD}}." />
    ${look && (look.faults.length ? html`<p class="wrong">${look.faults[0]}</p>` : html`<p class="preview"><span class="soft">Ada Byron reads:</span> <q>${look.text ?? "Nothing: a placeholder has no value."}</q></p>`)}
    <${TextField} form=${form} name="category" label="Category" placeholder="General" hint=${`Workers find it under “${form.get("category") || "General"}”.`} />
    <${TextField} form=${form} name="language" label="Language" placeholder="all" hint=${language ? `Offered for customers whose language is ${language}.` : "Offered for customers of every language that has none of its own."} />
    <${NumberField} form=${form} name="order" label="Order" placeholder="0" hint=${`Within its category it comes after templates with an order below ${order}.`} />
    <${TextField} form=${form} name="content_sid" label="Content SID" placeholder="HX..." hint=${form.get("content_sid") ? "On WhatsApp this template of Twilio's is sent, also after 24 hours." : "Without a SID it is sent as a text, within 24 hours of the customer's last message on WhatsApp."} />
    <${Variables} form=${form} />
    ${form.get("whatsapp_approved") !== undefined && html`<${FlagField} form=${form} name="whatsapp_approved" label="Offer it to Frontline as approved by WhatsApp" />`}
    <${Saving} form=${form} /><${Changes} changes=${loaded.changes} />
    ${loaded.version && html`<div><button type="button" class="plain" disabled=${busy} onClick=${remove}>Remove template</button><${Wrong}>${failed}<//></div>`}</form>`;
}

function Template({ id, ...more }) {
  const [loaded, failure] = useRecord(`records/templates/${encodeURIComponent(id)}`);
  if (failure) return html`<p class="wrong" role="alert">${failure}</p>`;
  return loaded ? html`<${Form} key=${id} ...${{ id, loaded, ...more }} />` : html`<${Bones} />`;
}

function Add({ say, reload }) {
  const [name, setName] = useState("");
  const [content, setContent] = useState("");
  const [busy, wrong, add] = useAct(async () => {
    const id = name.trim().replaceAll("/", "-");
    if (!id) throw new Error("Give the template a name.");
    await change(`records/templates/${encodeURIComponent(id)}`, { version: null, fields: { content } });
    say(`${id} is added.`);
    await reload();
    location.hash = address("setup", "templates", id);
  });
  return html`<form class="panel record" aria-label="A new template" onSubmit=${add}><h2>A new template</h2>
    <div class="field"><label for="new-template">Name</label><input id="new-template" type="text" value=${name} onInput=${(event) => setName(event.currentTarget.value)} /></div>
    <div class="field"><label for="new-content">Text</label><textarea id="new-content" rows="3" value=${content} onInput=${(event) => setContent(event.currentTarget.value)}></textarea><${Wrong}>${wrong}<//></div>
    <div class="saving"><button type="submit" disabled=${busy}>Save</button><a href=${address("setup", "templates")}>Cancel</a></div></form>`;
}

export function Tab({ say, rest }) {
  const [templates, setTemplates] = useState(null);
  const [lines, setLines] = useState([]);
  const reload = async () => setTemplates((await ask("setup/templates")).templates);
  const [, wrong, load] = useAct(reload);
  useEffect(() => { load(); }, []);
  const [busy, failed, sync] = useAct(async () => {
    const answer = await change("setup/templates/sync");
    say(answer.said);
    setLines(answer.lines);
    await reload();
  });
  const [open] = rest;
  return html`<div class="toolbar"><button type="button" class="plain" onClick=${() => { location.hash = address("setup", "templates", "+"); }}>Add template</button>
      <button type="button" class="plain" disabled=${busy} onClick=${sync}>Sync now</button><span class="soft">Takes over Twilio's content templates and WhatsApp's approvals.</span></div>
    <${Wrong}>${wrong || failed}<//>
    ${lines.length > 0 && html`<ul class="soft">${lines.map((line) => html`<li key=${line}>${line}</li>`)}</ul>`}
    <div class=${open ? "columns side" : ""}><section class="panel">${templates ? html`<${List} ...${{ templates, open }} />` : html`<${Bones} />`}</section>
      ${open === "+" ? html`<${Add} ...${{ say, reload }} />` : open && html`<${Template} key=${open} id=${open} ...${{ say, reload }} />`}</div>`;
}
