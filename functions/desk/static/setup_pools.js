// Setup, Pools: one card per pool, and the open pool's form.
import { address } from "./desk.js";
import { ChoiceField, Changes, ListField, MinutesField, NumberField, Saving, TextField, useForm, useRecord } from "./forms.js";
import { ask, change } from "./server.js";
import { Bones, Wrong, count, html, useAct, useEffect, useState } from "./parts.js";
import { Holidays, Hours } from "./setup_hours.js";
import { minutes } from "./setup_routing.js";
import { Texts } from "./setup_texts.js";

const LOOK_AFTER = 300; // milliseconds without a key
const MODES = [["", "As set under Routing"], ["pool", "By pool"], ["custom", "By assigned worker"], ["none", "Not at all"]];
const STRATEGIES = [["longest_idle", "Idle for the longest"], ["least_busy", "Holds the fewest"]];
const LOOKED_AT = ["texts", "hours", "holidays"];

// What the typed hours, holidays and texts mean, as the server reads them.
function useLook(id, form) {
  const [look, setLook] = useState(null);
  const fields = Object.fromEntries(LOOKED_AT.map((name) => [name, form.get(name) ?? null]));
  const typed = JSON.stringify(fields);
  useEffect(() => {
    let current = true;
    const see = () => change(`setup/pools/${encodeURIComponent(id)}/look`, { fields }).then((answer) => current && setLook(answer), () => {});
    const timer = setTimeout(see, look ? LOOK_AFTER : 0);
    return () => { current = false; clearTimeout(timer); };
  }, [typed]);
  return look;
}

// The account's own addresses for conversations; null until they are known, or where Twilio does not list them.
function useNumbers() {
  const [numbers, setNumbers] = useState(null);
  useEffect(() => { ask("setup/numbers").then((answer) => setNumbers(answer.numbers), () => {}); }, []);
  return numbers;
}

const plain = (number) => number.replace(/[\s()./-]/g, "").replace(/^00/, "+");

function Numbers({ form, pools, id, numbers }) {
  const typed = form.get("addresses") || [];
  const mine = (Array.isArray(typed) ? typed : [typed]).map(String).map(plain);
  const taken = new Set(pools.filter((pool) => pool.id !== id).flatMap((pool) => pool.numbers));
  const free = (numbers || []).filter((number) => !taken.has(number) && !mine.includes(number));
  const foreign = numbers?.length ? mine.filter((number) => number && !numbers.includes(number) && !numbers.includes(number.replace("whatsapp:", ""))) : [];
  const hint = mine.length ? `Customers who write to ${mine.join(" or ")} enter this pool.` : "No numbers: only the default pool is entered without one.";
  return html`<${ListField} form=${form} name="addresses" label="Numbers, one a line" hint=${hint} />
    ${foreign.length > 0 && html`<p class="notice">${foreign.join(", ")} ${foreign.length === 1 ? "is" : "are"} not set up for conversations in your Twilio account.</p>`}
    ${free.length > 0 && html`<div class="toolbar"><span class="soft">Numbers of no pool:</span>${free.map((number) =>
      html`<button key=${number} type="button" class="plain" onClick=${() => form.set("addresses", [...mine, number])}>Add ${number}</button>`)}</div>`}`;
}

function Takes({ form, pools, id, numbers }) {
  const priority = form.get("priority") ?? 0;
  return html`<section class="panel record"><h2>What it takes</h2>
    <${TextField} form=${form} name="display_name" label="Name" hint=${`Workers and reports see “${form.get("display_name") || id}”.`} />
    <${Numbers} ...${{ form, pools, id, numbers }} />
    <${ChoiceField} form=${form} name="mode" label="Routing" options=${MODES} hint=${form.get("mode") ? "This pool's numbers are routed in this way, whatever Routing says." : "This pool's numbers follow the setting under Routing."} />
    <${NumberField} form=${form} name="priority" label="Priority" placeholder="0" hint=${`Its customers come before those with a priority below ${priority}.`} />
  </section>`;
}

function Capacity({ form }) {
  const capacity = form.get("capacity");
  const endless = capacity === null;
  const hint = endless ? "A worker takes any number of conversations at a time." : `A worker takes at most ${count(Number(capacity ?? 5) || 0, "conversation")} at a time.`;
  return html`<${NumberField} form=${form} name="capacity" label="Capacity" placeholder=${endless ? "no limit" : "5"} disabled=${endless} hint=${typeof capacity === "string" ? "" : hint} />
    <label class="check"><input type="checkbox" checked=${endless} onChange=${(event) => form.set("capacity", event.currentTarget.checked ? null : undefined)} /> No limit</label>`;
}

function Workers({ form, pools, id }) {
  const others = pools.filter((pool) => pool.id !== id).map((pool) => [pool.id, pool.name]);
  const overflow = form.get("overflow");
  const known = !overflow || others.some(([other]) => other === overflow) ? others : [[overflow, overflow], ...others];
  const after = form.get("overflow_after");
  const helper = known.find(([other]) => other === overflow)?.[1];
  const when = after === null ? "never" : after ? `after ${minutes(after)}` : "at once";
  return html`<section class="panel record"><h2>Who and how</h2>
    <${ChoiceField} form=${form} name="strategy" label="The next worker" defaultsTo="longest_idle" options=${STRATEGIES}
      hint=${form.get("strategy") === "least_busy" ? "The free worker with the fewest conversations is next." : "The free worker whose last conversation came longest ago is next."} />
    <${Capacity} form=${form} />
    <${ChoiceField} form=${form} name="overflow" label="Overflow" options=${[["", "None"], ...known]}
      hint=${overflow ? `Workers of ${helper} may also take its customers, ${when}.` : "Only workers of this pool take its customers."} />
    ${overflow && html`<${MinutesField} form=${form} name="overflow_after" label="Overflow after" placeholder=${after === null ? "never" : "0"} disabled=${after === null} hint="Time counts while the pool is open." />
      <label class="check"><input type="checkbox" checked=${after === null} onChange=${(event) => form.set("overflow_after", event.currentTarget.checked ? null : undefined)} /> Never</label>`}
  </section>`;
}

function Deadlines({ form, templates, look }) {
  const within = form.get("answer_within");
  const missed = form.get("unavailable_after");
  return html`<section class="panel record"><h2>Words and deadlines</h2>
    <${MinutesField} form=${form} name="answer_within" label="Answer within" placeholder="no limit"
      hint=${within ? `A customer who waits ${minutes(within)} for a reply goes back to the queue.` : "A customer stays with the worker, however long a reply takes."} />
    <${NumberField} form=${form} name="unavailable_after" label="Unavailable after missed answers" placeholder="never"
      hint=${missed ? `A worker who misses ${count(Number(missed) || 0, "answer")} in a row becomes Unavailable.` : "A missed answer never changes a worker's status."} />
    <${Texts} ...${{ form, templates, look }} />
  </section>`;
}

const happens = ({ default: isDefault, numbers, workers, waiting, overflowing }) => [
  isDefault && "It is the default pool. Without a record the default pool has the default settings.",
  numbers.length > 0 && `${numbers.join(", ")}: new conversations enter the default pool.`,
  workers > 0 && `${count(workers, "worker")} still ${workers === 1 ? "belongs" : "belong"} to it until you change their pools.`,
  waiting > 0 && `${count(waiting, "customer")} in its queue still ${waiting === 1 ? "waits" : "wait"} for its workers, with the default settings.`,
  overflowing.length > 0 && `${overflowing.join(", ")} will have no overflow.`,
].filter(Boolean);

function Remove({ id, name, version, say, onRemoved }) {
  const [what, setWhat] = useState(null);
  const [, wrong, look] = useAct(async () => setWhat(happens(await ask(`setup/pools/${encodeURIComponent(id)}/removal`))));
  const [busy, failed, remove] = useAct(async () => {
    await change(`records/pools/${encodeURIComponent(id)}/remove`, { version });
    say(`${name} is removed.`);
    onRemoved();
  });
  if (!what) return html`<div><button type="button" class="plain" onClick=${look}>Remove pool</button><${Wrong}>${wrong}<//></div>`;
  return html`<div class="conflict" role="group" aria-label=${`Remove ${name}`}><p>Remove ${name}?</p>
    <ul>${(what.length ? what : ["No worker, number or customer depends on it."]).map((sentence) => html`<li key=${sentence}>${sentence}</li>`)}</ul>
    <div class="toolbar"><button type="button" disabled=${busy} onClick=${remove}>Remove</button><button type="button" class="plain" onClick=${() => setWhat(null)}>Keep</button></div><${Wrong}>${failed}<//></div>`;
}

function Form({ id, overview, loaded, numbers, say, reload }) {
  const name = loaded.record.display_name || id;
  const title = typeof name === "string" ? name : id;
  const [version, setVersion] = useState(loaded.version);
  const onSaved = (answer) => { setVersion(answer.version); reload(); };
  const form = useForm({ path: `records/pools/${encodeURIComponent(id)}`, loaded, title, say, onSaved, nulls: ["capacity", "overflow_after"] });
  const look = useLook(id, form);
  const { pools, templates } = overview;
  return html`<form class="record" aria-label=${`Pool ${title}`} onSubmit=${form.save}>
    ${loaded.problem && html`<p class="notice">${loaded.problem}</p>`}
    <div class="columns"><${Takes} ...${{ form, pools, id, numbers }} /><${Workers} ...${{ form, pools, id }} /></div>
    <section class="panel record"><h2>Hours</h2><${Hours} form=${form} week=${look?.week} /><${Holidays} form=${form} closed=${look?.closed} /></section>
    <${Deadlines} ...${{ form, templates, look }} />
    <div class="panel savebar ${form.changed.length ? "stuck" : ""}"><${Saving} form=${form} /></div>
    <${Changes} changes=${loaded.changes} />
    ${loaded.version && html`<${Remove} ...${{ id, name: title, version, say }} onRemoved=${() => { form.discard(); reload(); location.hash = address("setup", "pools"); }} />`}
  </form>`;
}

function Pool({ id, ...more }) {
  const [loaded, failure] = useRecord(`records/pools/${encodeURIComponent(id)}`);
  if (failure) return html`<p class="wrong" role="alert">${failure}</p>`;
  return loaded ? html`<${Form} key=${id} ...${{ id, loaded, ...more }} />` : html`<${Bones} />`;
}

const idOf = (name) => name.normalize("NFKD").replace(/[^\w ]/g, "").trim().toLowerCase().replace(/\s+/g, "_");

function Add({ say, reload }) {
  const [name, setName] = useState("");
  const [busy, wrong, add] = useAct(async () => {
    const id = idOf(name);
    if (!id) throw new Error("Give the pool a name with letters or digits.");
    await change(`records/pools/${id}`, { version: null, fields: { display_name: name.trim() } });
    say(`${name.trim()} is added.`);
    await reload();
    location.hash = address("setup", "pools", id);
  });
  return html`<form class="panel record" aria-label="A new pool" onSubmit=${add}><h2>A new pool</h2>
    <div class="field"><label for="new-pool">Name</label><input id="new-pool" type="text" value=${name} onInput=${(event) => setName(event.currentTarget.value)} />
      <small>${idOf(name) ? `Its id is “${idOf(name)}”, which never changes.` : "Such as Sales."}</small><${Wrong}>${wrong}<//></div>
    <div class="saving"><button type="submit" disabled=${busy}>Save</button><a href=${address("setup", "pools")}>Cancel</a></div></form>`;
}

export function Tab({ overview, reload, say, rest }) {
  const numbers = useNumbers();
  const { pools, default_pool: first } = overview;
  const [id, isNew] = rest[0] === "+" ? [null, true] : [rest[0] ?? (pools.find((pool) => pool.id === first) || pools[0])?.id ?? first, false];
  return html`<nav class="cards" aria-label="Pools">${pools.map((pool) => html`<a key=${pool.id} class="card" href=${address("setup", "pools", pool.id)} aria-current=${pool.id === id ? "page" : undefined}>
      <b>${pool.name}</b><small>${pool.numbers.join(", ") || (pool.id === first ? "All other numbers" : "No numbers")}</small>
      ${pool.problem && html`<span class="tag bad">Needs attention</span>`}</a>`)}
      <button type="button" class="plain" onClick=${() => { location.hash = address("setup", "pools", "+"); }}>Add pool</button></nav>
    ${isNew ? html`<${Add} ...${{ say, reload }} />` : html`<${Pool} key=${id} ...${{ id, overview, numbers, say, reload }} />`}`;
}
