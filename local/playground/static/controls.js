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

const MODES = [["pool", "Pool: an Available worker"], ["custom", "Custom: their own worker"], ["none", "None: do not route"]];
const whole = (text) => (text === "" ? null : Number(text));

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
  }));
  return html`<form onSubmit=${save} aria-label="Settings">
    <h3>Settings</h3>
    <${Field} label="How to route"><${Choice} name="mode" value=${now.mode} options=${MODES} /><//>
    <${Field} label="Default pool"><${Choice} name="default_pool" value=${now.default_pool} options=${state.pools.map((pool) => [pool.id, pool.display_name])} /><//>
    <${Field} label="Customer without a worker"><${Choice} name="custom_fallback" value=${now.custom_fallback} options=${[["pool", "goes to the pool"], ["none", "is not routed"]]} /><//>
    <${Field} label="Own worker who cannot take more"><${Choice} name="own_worker" value=${now.own_worker} options=${[["always", "is added all the same"], ["available", "is passed over"], ["wait", "is waited for"]]} /><//>
    <${Field} label="Waited for, seconds"><input name="own_worker_wait" type="number" min="0" defaultValue=${now.own_worker_wait ?? ""} placeholder="without end" /><//>
    <${Field} label="Service level, seconds"><input name="service_level_seconds" type="number" min="1" required defaultValue=${now.service_level_seconds} /><//>
    <${Field} label="Time zone"><input name="time_zone" required defaultValue=${now.time_zone} /><//>
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
    addresses: given.addresses.split(",").map((one) => one.trim()).filter(Boolean),
  }));
  const fresh = !pool.id;
  return html`<form onSubmit=${save} aria-label=${fresh ? "A new pool" : `Pool ${pool.display_name}`}>
    <h3>${fresh ? "A new pool" : pool.display_name}</h3>
    ${fresh && html`<${Field} label="Id"><input name="id" required pattern="[A-Za-z0-9_\\-]+" /><//>`}
    <${Field} label="Name"><input name="display_name" required defaultValue=${pool.display_name || ""} /><//>
    <${Field} label="Twilio numbers"><input name="addresses" defaultValue=${(pool.addresses || []).join(", ")} placeholder="none: the default pool" /><//>
    <${Field} label="How to route"><${Choice} name="mode" value=${pool.mode} options=${[["", "as in the settings"], ...MODES]} /><//>
    <${Field} label="Who is next"><${Choice} name="strategy" value=${pool.strategy} options=${[["longest_idle", "idle for the longest"], ["least_busy", "holds the fewest"]]} /><//>
    <${Field} label="At once per worker"><input name="capacity" type="number" min="0" defaultValue=${pool.capacity ?? 5} placeholder="no limit" /><//>
    <${Field} label="Priority"><input name="priority" type="number" defaultValue=${pool.priority ?? 0} /><//>
    <${Field} label="Pool that helps"><input name="overflow" defaultValue=${pool.overflow || ""} placeholder="none" /><//>
    <${Field} label="Helps after, seconds"><input name="overflow_after" type="number" min="0" defaultValue=${pool.overflow_after ?? ""} placeholder="never" /><//>
    <p class="buttons"><button>${fresh ? "Add" : "Save"}</button><span class="note" role="status">${saved}</span></p>
  </form>`;
}

function NewWorker({ state, act }) {
  const [saved, save] = useForm(act, "worker", (given) => ({ ...given, pools: [given.pool], new: true }));
  return html`<form onSubmit=${save} aria-label="A new worker">
    <h3>A new worker</h3>
    <${Field} label="Identity"><input name="identity" required placeholder="erin@example.com" /><//>
    <${Field} label="Name"><input name="display_name" required /><//>
    <${Field} label="Pool"><${Choice} name="pool" value=${state.settings.default_pool} options=${state.pools.map((pool) => [pool.id, pool.display_name])} /><//>
    <p class="buttons"><button>Add</button><span class="note" role="status">${saved}</span></p>
  </form>`;
}

export function Settings({ state, act }) {
  return html`<section class="panel drawer" id="settings" aria-label="Settings and pools">
    <p class="note">Each form writes its record as one would in the Firestore console.</p>
    <div class="forms">
      <${Routing} state=${state} act=${act} />
      ${state.pools.map((pool) => html`<${Pool} key=${pool.id} pool=${pool} act=${act} />`)}
      <${Pool} key="new pool" pool=${{}} act=${act} />
      <${NewWorker} state=${state} act=${act} />
    </div>
  </section>`;
}
