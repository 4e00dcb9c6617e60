// Setup, Routing: the record settings/routing.
import { Changes, ChoiceField, FlagField, ListField, MinutesField, NumberField, Saving, useForm, useRecord } from "./forms.js";
import { ask } from "./server.js";
import { Bones, html, useEffect, useState } from "./parts.js";

const PATH = "records/settings/routing";
const MODES = [
  ["pool", "By pool", "The customer waits in the pool of the number, and the next free worker gets the conversation."],
  ["custom", "By assigned worker", "The customer's own worker gets the conversation. A customer without one goes to the pool, or nowhere."],
  ["none", "Not at all", "Conversations stay as Twilio made them. No worker is added."],
];

// A picture of the way that a customer takes.
const PICTURES = {
  pool: ["Customer", "Pool", "Free worker"],
  custom: ["Customer", "Their own worker"],
  none: ["Customer", "Twilio only"],
};

export const minutes = (seconds) => {
  const rounded = Math.round((seconds / 60) * 10) / 10;
  return seconds < 60 ? `${seconds} seconds` : `${rounded} minute${rounded === 1 ? "" : "s"}`;
};

function Modes({ form }) {
  const mode = form.get("mode") ?? "pool";
  return html`<fieldset class="modes"><legend>How conversations are routed</legend>
    ${MODES.map(([key, label, text]) => html`<label key=${key} class="mode ${mode === key ? "chosen" : ""}">
      <input type="radio" name="mode" value=${key} checked=${mode === key} onChange=${() => form.set("mode", key)} />
      <span><b>${label}</b><span class="way" aria-hidden="true">${PICTURES[key].map((step) => html`<i key=${step}>${step}</i>`)}</span><small>${text}</small></span></label>`)}
    ${form.errors.mode && html`<p class="wrong" role="alert">${form.errors.mode}</p>`}</fieldset>`;
}

const OWN_WORKER = [["always", "Add them anyway"], ["available", "Go on without them"], ["wait", "Wait for them first"]];

function ownWorkerHint(choice, fallback, wait) {
  if (choice === "available") return fallback === "none" ? "The conversation is not routed." : "The customer waits in the pool, and any free worker takes them.";
  if (choice !== "wait") return "The assigned worker gets the conversation even if they are Unavailable or full.";
  return wait === null ? "The customer waits for the assigned worker without end." : `The customer waits for the assigned worker for ${minutes(wait ?? 300)}, then goes to the pool.`;
}

function OwnWorker({ form }) {
  const choice = form.get("own_worker") ?? "always";
  const wait = form.get("own_worker_wait");
  const hint = ownWorkerHint(choice, form.get("custom_fallback"), wait);
  const endless = wait === null;
  return html`<${ChoiceField} form=${form} name="own_worker" label="When the assigned worker is Unavailable or full" options=${OWN_WORKER} defaultsTo="always" hint=${hint} />
    ${choice === "wait" && html`<${MinutesField} form=${form} name="own_worker_wait" label="Wait for the assigned worker" placeholder=${endless ? "without end" : "5"} disabled=${endless} />
      <label class="check"><input type="checkbox" checked=${endless} onChange=${(event) => form.set("own_worker_wait", event.currentTarget.checked ? null : undefined)} /> Without end</label>`}`;
}

function Zone({ form }) {
  const [zones, setZones] = useState([]);
  useEffect(() => { ask("setup/zones").then((answer) => setZones(answer.zones), () => {}); }, []);
  const now = form.get("time_zone") || "UTC";
  const listed = zones.includes(now) ? zones : [now, ...zones];
  let clock = "";
  try {
    clock = new Intl.DateTimeFormat("en-GB", { timeZone: now, hour: "2-digit", minute: "2-digit" }).format(new Date());
  } catch { /* the browser does not know the zone */ }
  const hint = clock ? `It is ${clock} there now. Hours, holidays and reports use this time.` : "Hours, holidays and reports use this time.";
  return html`<${ChoiceField} form=${form} name="time_zone" label="Time zone" defaultsTo="UTC" hint=${hint} options=${listed.map((zone) => [zone, zone.replaceAll("_", " ")])} />`;
}

function More({ form }) {
  const level = form.get("service_level_seconds") ?? 60;
  const days = form.get("keep_days") ?? 365;
  const create = form.get("create_customers") ?? true;
  const history = form.get("history") ?? "all";
  return html`<h2>More</h2>
    <${FlagField} form=${form} name="create_customers" label="Make a record for a new customer" defaultsTo=${true}
      hint=${create ? "A customer who writes for the first time gets a record." : "Only customers that you add or import have a record."} />
    <${NumberField} form=${form} name="service_level_seconds" label="Target for the wait, in seconds" placeholder="60" hint=${`Reports count a customer as in time if a worker is added within ${minutes(level)}.`} />
    <${ChoiceField} form=${form} name="history" label="Earlier conversations" options=${[["all", "All of the customer's"], ["own", "Only the worker's own"]]} defaultsTo="all"
      hint=${history === "own" ? "Workers read earlier conversations of a customer only where they took part." : "Workers read every earlier conversation of a customer that they hold."} />
    <${NumberField} form=${form} name="keep_days" label="Keep closed conversations, in days" placeholder="365" hint=${`The log keeps a closed conversation for ${days} days.`} />
    <${ListField} form=${form} name="opt_out_words" label="Further opt-out words, one a line" hint="A customer who writes one of these gets no more messages. STOP and Twilio's other words always count." />
    <${ListField} form=${form} name="bots" label="Bots, one identity a line" hint="These participants are in conversations, but are not workers." />
    <${FlagField} form=${form} name="frontline_status" label="Follow the switch in Frontline's app"
      hint=${form.get("frontline_status") ? "The switch in Frontline's app sets the worker's status, minutes later." : "Only the inbox and the desk set a worker's status."} />
    <${FlagField} form=${form} name="crm_open" label="Frontline: every worker sees every customer"
      hint=${form.get("crm_open") ? "In Frontline's app each worker finds all customers." : "In Frontline's app workers find only their own customers."} />`;
}

function Form({ overview, loaded, say, reload }) {
  const form = useForm({ path: PATH, loaded, title: "Routing", say, onSaved: reload, nulls: ["own_worker_wait"] });
  const pools = overview.pools.map((pool) => [pool.id, pool.name]);
  const wanted = form.get("default_pool") ?? "default";
  const known = pools.some(([id]) => id === wanted) ? pools : [[wanted, wanted], ...pools];
  const fallback = form.get("custom_fallback") ?? "pool";
  return html`<form class="record" aria-label="Routing" onSubmit=${form.save}>
    ${loaded.problem && html`<p class="notice">${loaded.problem}</p>`}
    <${Modes} form=${form} />
    <div class="columns"><section class="panel record">
      <h2>Pool and assigned worker</h2>
      <${ChoiceField} form=${form} name="default_pool" label="Default pool" defaultsTo="default" options=${known} hint="Customers who write to a number of no pool wait here." />
      <${ChoiceField} form=${form} name="custom_fallback" label="A customer without an assigned worker" options=${[["pool", "Goes to the pool"], ["none", "Is not routed"]]} defaultsTo="pool"
        hint=${fallback === "none" ? "By assigned worker: no worker is added for such a customer." : "By assigned worker: such a customer waits in the number's pool."} />
      <${OwnWorker} form=${form} />
      <${Zone} form=${form} />
    </section><section class="panel record"><${More} form=${form} /></section></div>
    <${Saving} form=${form} />
    <${Changes} changes=${loaded.changes} />
  </form>`;
}

export function Tab({ overview, reload, say }) {
  const [loaded, failure] = useRecord(PATH);
  if (failure) return html`<p class="wrong" role="alert">${failure}</p>`;
  return loaded ? html`<${Form} ...${{ overview, loaded, say, reload }} />` : html`<${Bones} />`;
}
