// What opens under the header: trouble on purpose, and the desk with the settings.
import { html } from "./ui.js";

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

// The desk in a frame, signed in as the sample data's supervisor: these forms write the records of the local run.
const DESK = "/as/maria@example.com/desk/sign-in#setup/pools";

export function Settings() {
  return html`<section class="panel drawer" id="settings" aria-label="Settings and pools">
    <p class="note">The desk, as the supervisor Maria sees it.</p>
    <iframe title="Desk of Maria" src=${DESK}></iframe>
  </section>`;
}
