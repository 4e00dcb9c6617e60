// The workers' side: each one's own inbox, as on their phone, in a frame of its own and signed in.
import { Avatar, html, poolName, useState } from "./ui.js";

const addressOf = (identity) => `/as/${encodeURIComponent(identity).replaceAll("%40", "@")}/inbox/sign-in`;

function Worker({ state, worker, act }) {
  const [open, setOpen] = useState(true);
  const capacity = worker.capacity === null ? "no limit" : worker.capacity;
  const pools = worker.pools.map((id) => poolName(state, id)).join(", ") || "no pool";
  return html`<li class="panel worker" data-worker=${worker.identity}>
    <button class="row" aria-expanded=${open} onClick=${() => setOpen(!open)}>
      <${Avatar} name=${worker.name} />
      <span class="who"><b>${worker.name}</b><small>${pools} · <span class="slots">holds ${worker.active} of ${capacity}</span></small></span>
      <span class="state ${worker.available ? "assigned" : ""}">${worker.available ? "Available" : "Unavailable"}</span>
    </button>
    ${state.standin && state.settings.frontline_status && html`<label class="check"><input type="checkbox" role="switch" aria-label=${`${worker.name} on in Frontline's app`} checked=${worker.frontline}
      onChange=${(event) => act("frontline", { identity: worker.identity, on: event.currentTarget.checked })} /> On in Frontline's app</label>`}
    ${worker.problem && html`<p class="problem">${worker.problem}</p>`}
    ${open && html`<iframe title=${`Inbox of ${worker.name}`} src=${addressOf(worker.identity)}></iframe>`}
  </li>`;
}

export function Workers({ state, act }) {
  return html`<section class="column" aria-labelledby="workers">
    <h2 id="workers">Workers <span class="note">each one's inbox</span></h2>
    ${state.workers.length === 0 && html`<p class="panel empty">There are no workers. Add one under Settings, People.</p>`}
    <ul class="workers">${state.workers.map((worker) => html`<${Worker} key=${worker.identity} state=${state} worker=${worker} act=${act} />`)}</ul>
  </section>`;
}
