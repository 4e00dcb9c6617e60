// People: workers and customers as tables, with a form beside them.
import { address } from "./desk.js";
import { Customers } from "./people_customers.js";
import { Workers } from "./people_workers.js";
import { html } from "./parts.js";

const TABS = [["workers", "Workers", Workers], ["customers", "Customers", Customers]];

// Left and Right move between the tabs, as in every tab list.
function move(event) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const tabs = [...event.currentTarget.querySelectorAll("[role=tab]")];
  tabs[(tabs.indexOf(event.target) + by + tabs.length) % tabs.length].focus();
}

export function Page({ me, rest, say }) {
  const [name, , Tab] = TABS.find(([tab]) => tab === rest[0]) || TABS[0];
  return html`<h1>People</h1>
    <div role="tablist" aria-label="People" onKeyDown=${move}>${TABS.map(([tab, label]) =>
      html`<a key=${tab} id=${`tab-${tab}`} role="tab" href=${address("people", tab)} aria-selected=${tab === name} aria-controls="people-panel" tabindex=${tab === name ? 0 : -1}>${label}</a>`)}</div>
    <div role="tabpanel" id="people-panel" aria-labelledby=${`tab-${name}`}><${Tab} key=${name} me=${me} say=${say} open=${rest[1] || ""} /></div>`;
}
