// What opens under the header: trouble on purpose, and the records that one edits in the Firestore console.
import { html, useState } from "./ui.js";

const TROUBLES = [
  ["twilio_down", "Twilio answers 503", "Nobody can be added. The conversation stays claimed and is finished later."],
  ["twilio_forgets", "Twilio acts, but its answer is lost", "The worker is added, yet the service does not hear of it."],
  ["webhooks_twice", "Webhooks come twice, in any order", "Each conversation must still be given once."],
  ["events_twice", "Firestore events come twice, in any order", "As production may deliver them."],
];

export function Trouble({ state, act }) {
  const dead = state.trouble.includes("kill") || !state.functions;
  return html`<section class="panel drawer" id="trouble" aria-label="Make trouble">
    <ul class="troubles">
      ${TROUBLES.map(([kind, name, text]) => html`<li key=${kind}><label>
        <input type="checkbox" checked=${state.trouble.includes(kind)} disabled=${!state.standin && kind !== "events_twice"}
          onChange=${(event) => act("trouble", { kind, on: event.currentTarget.checked })} />
        <span><b>${name}</b><small>${text}</small></span></label></li>`)}
    </ul>
    <div class="buttons">
      <button class="plain" disabled=${dead} onClick=${() => act("trouble", { kind: "kill", on: true })}>${dead ? "Killed; starting again ..." : "Kill the functions"}</button>
      <button class="plain" disabled=${dead} onClick=${() => act("sweep", {})}>Sweep now</button>
      <span class="note">${state.sweep_every ? `The sweep runs every ${state.sweep_every} s by itself; a claim may be taken over after 30 s.` : "The sweep runs only when asked."}</span>
    </div>
  </section>`;
}

function Field({ label, children }) {
  return html`<label class="field"><span>${label}</span>${children}</label>`;
}

function Choice({ name, value, options }) {
  return html`<select name=${name}>${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === (value || "")}>${text}</option>`)}</select>`;
}

function Fold({ name, note, children }) {
  return html`<details class="fold"><summary>${name}${note && html` <span class="tag">${note}</span>`}</summary><div>${children}</div></details>`;
}

// The pool's own words to the customer; what one may begin with where there are none yet.
const TEXTS = {
  queued: "Thank you, {{Name}}. You are number {{Position}}. It takes about {{Wait}}.",
  away: "We are not here just now. We open at {{Opens}}.",
  assigned: "{{Author}} is with you now.",
};

function Words({ kind, text }) {
  return html`<div class="words">
    <label><input type="checkbox" name=${`send_${kind}`} defaultChecked=${Boolean(text)} /> Send “${kind}”</label>
    <textarea name=${kind} aria-label=${`Text “${kind}”`} rows="2" defaultValue=${text || TEXTS[kind]}></textarea>
  </div>`;
}

const MODES = [["pool", "Pool: an Available worker"], ["custom", "Custom: their own worker"], ["none", "None: do not route"]];
const whole = (text) => (text === "" ? null : Number(text));
const listed = (text) => text.split(/[,;]/).map((one) => one.trim()).filter(Boolean);

function useForm(act, action, read) {
  const [saved, setSaved] = useState("");
  return [saved, async (event) => {
    event.preventDefault();
    const done = await act(action, read(Object.fromEntries(new FormData(event.currentTarget))));
    setSaved(done ? "Saved" : "");
  }];
}

function Routing({ state, act }) {
  const now = state.settings;
  const [saved, save] = useForm(act, "settings", (given) => ({
    ...given,
    service_level_seconds: whole(given.service_level_seconds),
    own_worker_wait: whole(given.own_worker_wait),
    frontline_status: "frontline_status" in given,
  }));
  return html`<form onSubmit=${save} aria-label="Settings">
    <h2>Settings</h2>
    <${Field} label="How to route"><${Choice} name="mode" value=${now.mode} options=${MODES} /><//>
    <${Field} label="Default pool"><${Choice} name="default_pool" value=${now.default_pool} options=${state.pools.map((pool) => [pool.id, pool.display_name])} /><//>
    <${Field} label="Customer without a worker"><${Choice} name="custom_fallback" value=${now.custom_fallback} options=${[["pool", "goes to the pool"], ["none", "is not routed"]]} /><//>
    <${Field} label="Own worker who cannot take more"><${Choice} name="own_worker" value=${now.own_worker} options=${[["always", "is added all the same"], ["available", "is passed over"], ["wait", "is waited for"]]} /><//>
    <${Field} label="Waited for, seconds"><input name="own_worker_wait" type="number" min="0" defaultValue=${now.own_worker_wait ?? ""} placeholder="without end" /><//>
    <${Field} label="Service level, seconds"><input name="service_level_seconds" type="number" min="1" required defaultValue=${now.service_level_seconds} /><//>
    <${Field} label="Time zone"><input name="time_zone" required defaultValue=${now.time_zone} /><//>
    <label class="check"><input type="checkbox" name="frontline_status" defaultChecked=${now.frontline_status} /> The switch in Frontline's app counts</label>
    ${now.problem && html`<p class="problem">${now.problem}</p>`}
    <p class="buttons"><button>Save</button><span class="note" role="status">${saved}</span></p>
  </form>`;
}

function Pool({ pool, act }) {
  const [saved, save] = useForm(act, "pool", (given) => ({
    ...given,
    id: pool.id || given.id,
    capacity: whole(given.capacity),
    priority: whole(given.priority),
    overflow_after: whole(given.overflow_after),
    answer_within: whole(given.answer_within),
    unavailable_after: whole(given.unavailable_after),
    addresses: listed(given.addresses),
    holidays: listed(given.holidays),
    ...Object.fromEntries(Object.keys(TEXTS).map((kind) => [kind, given[`send_${kind}`] ? given[kind] : null])),
  }));
  const fresh = !pool.id;
  const texts = pool.texts || {};
  const waits = [pool.answer_within && `${pool.answer_within} s`, pool.overflow && `+ ${pool.overflow}`].filter(Boolean);
  return html`<form onSubmit=${save} aria-label=${fresh ? "A new pool" : `Pool ${pool.display_name}`}>
    <h2>${fresh ? "A new pool" : pool.display_name}</h2>
    ${fresh && html`<${Field} label="Id"><input name="id" required pattern="[A-Za-z0-9_\\-]+" /><//>`}
    <${Field} label="Name"><input name="display_name" required defaultValue=${pool.display_name || ""} /><//>
    <${Field} label="Twilio numbers"><input name="addresses" defaultValue=${(pool.addresses || []).join(", ")} placeholder="none: the default pool" /><//>
    <${Field} label="How to route"><${Choice} name="mode" value=${pool.mode} options=${[["", "as in the settings"], ...MODES]} /><//>
    <${Field} label="Who is next"><${Choice} name="strategy" value=${pool.strategy} options=${[["longest_idle", "idle for the longest"], ["least_busy", "holds the fewest"]]} /><//>
    <${Field} label="At once per worker"><input name="capacity" type="number" min="0" defaultValue=${pool.capacity ?? 5} placeholder="no limit" /><//>
    <${Fold} name="Waiting and answers" note=${waits.join(", ")}>
      <${Field} label="Priority"><input name="priority" type="number" defaultValue=${pool.priority ?? 0} /><//>
      <${Field} label="Pool that helps"><input name="overflow" defaultValue=${pool.overflow || ""} placeholder="none" /><//>
      <${Field} label="Helps after, seconds"><input name="overflow_after" type="number" min="0" defaultValue=${pool.overflow_after ?? ""} placeholder="never" /><//>
      <${Field} label="Answer within, seconds"><input name="answer_within" type="number" min="1" defaultValue=${pool.answer_within ?? ""} placeholder="no limit" /><//>
      <${Field} label="Unavailable after so many missed"><input name="unavailable_after" type="number" min="1" defaultValue=${pool.unavailable_after ?? ""} placeholder="never" /><//>
    <//>
    <${Fold} name="Hours" note=${pool.hours}>
      <${Field} label="Open"><input name="hours" list="hours" defaultValue=${pool.hours || ""} placeholder="always" autocomplete="off" /><//>
      <${Field} label="Holidays"><input name="holidays" defaultValue=${pool.holidays || ""} placeholder="2026-12-24, 31.12., DE-BY" autocomplete="off" /><//>
    <//>
    <${Fold} name="Words to the customer" note=${Object.keys(TEXTS).filter((kind) => texts[kind]).join(", ")}>
      ${Object.keys(TEXTS).map((kind) => html`<${Words} key=${kind} kind=${kind} text=${texts[kind]} />`)}
    <//>
    ${pool.problem && html`<p class="problem">${pool.problem}</p>`}
    <p class="buttons"><button>${fresh ? "Add" : "Save"}</button><span class="note" role="status">${saved}</span></p>
  </form>`;
}

function Customer({ state, act }) {
  const [id, setId] = useState("");
  const [saved, save] = useForm(act, "customer", (given) => ({ ...given, priority: whole(given.priority) }));
  const one = state.customers.find((customer) => customer.id === id) || state.customers[0];
  return one && html`<form onSubmit=${save} aria-label="A customer">
    <h2>A customer</h2>
    <${Field} label="Who"><select name="id" value=${one.id} onChange=${(event) => setId(event.currentTarget.value)}>${state.customers.map((customer) => html`<option key=${customer.id} value=${customer.id}>${customer.name}</option>`)}</select><//>
    <div class="own" key=${one.id}>
      <${Field} label="Own worker"><${Choice} name="worker" value=${one.worker} options=${[["", "none"], ...state.workers.map((worker) => [worker.identity, worker.name])]} /><//>
      <${Field} label="Priority"><input name="priority" type="number" defaultValue=${one.priority ?? ""} placeholder="the pool's" /><//>
      <${Field} label="Language"><input name="language" defaultValue=${one.language || ""} placeholder="such as de-AT" autocomplete="off" /><//>
    </div>
    ${one.problem && html`<p class="problem">${one.problem}</p>`}
    <p class="buttons"><button>Save</button><span class="note" role="status">${saved}</span></p>
  </form>`;
}

function NewWorker({ state, act }) {
  const [saved, save] = useForm(act, "worker", (given) => ({ ...given, pools: [given.pool], new: true }));
  return html`<form onSubmit=${save} aria-label="A new worker">
    <h2>A new worker</h2>
    <${Field} label="Identity"><input name="identity" required placeholder="erin@example.com" /><//>
    <${Field} label="Name"><input name="display_name" required /><//>
    <${Field} label="Pool"><${Choice} name="pool" value=${state.settings.default_pool} options=${state.pools.map((pool) => [pool.id, pool.display_name])} /><//>
    <p class="buttons"><button>Add</button><span class="note" role="status">${saved}</span></p>
  </form>`;
}

export function Settings({ state, act }) {
  return html`<section class="panel drawer" id="settings" aria-label="Settings and pools">
    <p class="note">Each form writes its record as one would in the Firestore console.</p>
    <datalist id="hours"><option value="closed" /><option value="mon-fri: 09:00-12:00, 13:00-17:00; sat: 10-14" /></datalist>
    <div class="forms">
      <${Routing} state=${state} act=${act} />
      ${state.pools.map((pool) => html`<${Pool} key=${pool.id} pool=${pool} act=${act} />`)}
      <${Pool} key="new pool" pool=${{}} act=${act} />
      <${NewWorker} state=${state} act=${act} />
      <${Customer} state=${state} act=${act} />
    </div>
  </section>`;
}
