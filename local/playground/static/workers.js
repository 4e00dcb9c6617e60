// The workers' side: their switch, and the conversations they hold.
import { Avatar, Bubbles, Writer, html, poolName, useState } from "./ui.js";

const HELD = ["assigning", "assigned", "inactive"];

function Held({ state, worker, one, act }) {
  const chat = state.chats.find((chat) => chat.sid === one.sid);
  const name = one.display_name || one.address || one.sid;
  const [ending, setEnding] = useState(false);
  const off = !state.standin || one.state === "assigning" || ending;
  const end = async (action) => {
    setEnding(true);
    if (!await act(action, { sid: one.sid, identity: worker.identity })) setEnding(false);
  };
  return html`<li class="held">
    <div class="heldtop"><b>${name}</b>${one.state !== "assigned" && html`<span class="state ${one.state}">${one.state}</span>`}
      <span class="buttons">
        <button class="plain small" disabled=${off} onClick=${() => end("leave")}
          aria-label=${`${worker.name} leaves the conversation with ${name}`}>Leave</button>
        <button class="plain small" disabled=${off} onClick=${() => end("close")}
          aria-label=${`${worker.name} closes the conversation with ${name}`}>Close</button>
      </span>
    </div>
    ${chat && html`<${Bubbles} label=${`Messages with ${name}`} messages=${chat.messages} mine=${(message) => message.author !== chat.from} />`}
    <${Writer} label=${`Reply to ${name} as ${worker.name}`} placeholder=${`Reply as ${worker.name}`} button="Reply" disabled=${off}
      onSend=${(body) => act("reply", { sid: one.sid, identity: worker.identity, body })} />
  </li>`;
}

function Switch({ worker, act }) {
  const [busy, setBusy] = useState(false);
  const turn = async () => {
    setBusy(true);
    await act("status", { identity: worker.identity, status: worker.available ? "Unavailable" : "Available" });
    setBusy(false);
  };
  return html`<button class="switch" role="switch" aria-checked=${worker.available} aria-label=${`${worker.name} is Available`}
    disabled=${busy} onClick=${turn}><span class="knob"></span><span class="word">${worker.available ? "Available" : "Unavailable"}</span></button>`;
}

function Worker({ state, worker, act }) {
  const held = state.conversations.filter((one) => one.worker === worker.identity && HELD.includes(one.state));
  const capacity = worker.capacity === null ? "no limit" : worker.capacity;
  const pools = worker.pools.map((id) => poolName(state, id)).join(", ") || "no pool";
  return html`<li class="panel worker" data-worker=${worker.identity}>
    <div class="workertop">
      <${Avatar} name=${worker.name} />
      <span class="who"><b>${worker.name}</b><small>${pools} · <span class="slots">holds ${worker.active} of ${capacity}</span></small></span>
      <${Switch} worker=${worker} act=${act} />
    </div>
    ${worker.problem && html`<p class="problem">${worker.problem}</p>`}
    ${held.length > 0 && html`<ul>${held.map((one) => html`<${Held} key=${one.sid} state=${state} worker=${worker} one=${one} act=${act} />`)}</ul>`}
  </li>`;
}

export function Workers({ state, act }) {
  return html`<section class="column" aria-labelledby="workers">
    <h2 id="workers">Workers</h2>
    ${state.workers.length === 0 && html`<p class="panel empty">There are no workers. Add one under Settings.</p>`}
    <ul class="workers">${state.workers.map((worker) => html`<${Worker} key=${worker.identity} state=${state} worker=${worker} act=${act} />`)}</ul>
  </section>`;
}
