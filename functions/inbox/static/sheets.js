// What opens over the page: customer, templates, hand over, close, write first, settings and help.
import { ask, change, of } from "./server.js";
import { Avatar, Channel, Sheet, Switch, Wrong, bare, channelOf, count, date, html, nameOf, useAct, useAsked, useDraft, useState } from "./parts.js";

const Part = ({ title, children }) => html`<section><h3>${title}</h3>${children}</section>`;
const Person = ({ name, picture, under }) => html`<span class="person"><${Avatar} name=${name} picture=${picture} /><b>${name}<small>${under}</small></b></span>`;
const Search = ({ label, value, set }) => html`<input type="search" aria-label=${label} placeholder=${label} value=${value} onInput=${(event) => set(event.currentTarget.value)} />`;
const Radio = ({ group, value, is, set, children }) => html`<label class="radio"><input type="radio" name=${group} checked=${is === value} onChange=${() => set(value)} /><span>${children}</span></label>`;
const Acts = ({ busy, off, onClose, cancel = "Cancel", wrong, children }) => html`<${Wrong}>${wrong}<//>
  <p class="acts"><button type="button" class="plain" onClick=${onClose}>${cancel}</button><button disabled=${busy || off}>${children}</button></p>`;

export function Customer({ one, onClose }) {
  const [card, otherwise] = useAsked(() => ask(of(one.sid, "customer")));
  const link = ({ value, display_name: name }) => (/^https?:/.test(value)
    ? html`<a href=${value} target="_blank" rel="noopener noreferrer">${name || value}</a>` : `${name ? `${name}: ` : ""}${value}`);
  return html`<${Sheet} title="Customer" kind="drawer" onClose=${onClose}>${otherwise || html`
    <${Person} name=${card.name || nameOf(one)} picture=${card.avatar} />
    ${card.details && html`<${Part} title=${card.details.title || "Details"}><p class="plainly">${card.details.content}</p><//>`}
    ${card.links.length > 0 && html`<${Part} title="Links"><ul>${card.links.map((one) => html`<li>${link(one)}</li>`)}</ul><//>`}
    <${Part} title="Reached at"><ul>${card.addresses.map((one) => html`<li>${bare(one)} <${Channel} of=${channelOf(one)} /></li>`)}</ul><//>
    <${Part} title="Earlier conversations">${card.earlier.length === 0 && html`<p class="soft">This is the first one.</p>`}
      <ul>${card.earlier.map((one) => html`<li>${date(one.at)} <span class="soft">${one.state}${one.worker ? `, ${one.worker}` : ""}</span></li>`)}</ul><//>`}<//>`;
}

// Within WhatsApp's window a template goes into the textbox; after it, it is sent as it is.
export function Templates({ one, late, onText, onTemplate, onClose }) {
  const [told, otherwise] = useAsked(() => ask(of(one.sid, "templates")));
  const [sought, setSought] = useState("");
  const fits = ({ content, approved }) => (approved || !late) && content.toLowerCase().includes(sought.toLowerCase());
  const found = told?.categories.map(({ name, templates }) => [name, templates.filter(fits)]).filter(([, templates]) => templates.length);
  const choose = (template) => () => { onClose(); (late ? onTemplate : onText)(template); };
  return html`<${Sheet} title="Templates" onClose=${onClose}>
    ${late && html`<p class="soft">Only approved ones can be sent now. A tap sends.</p>`}
    ${otherwise || html`<${Search} label="Find a template" value=${sought} set=${setSought} />
      ${found.length === 0 && html`<p class="soft">There is no ${late ? "approved " : ""}template${sought && " with these words"}.</p>`}
      ${found.map(([name, templates]) => html`<${Part} title=${name}><ul>${templates.map((template) => html`<li>
        <button class="choice" onClick=${choose(template)}>${template.content}</button></li>`)}</ul><//>`)}`}
  <//>`;
}

export function HandOver({ one, me, pools, onDone, onClose }) {
  const [told, otherwise] = useAsked(() => ask(of(one.sid, "workers")));
  const [to, set] = useState("queue");
  const [busy, wrong, run] = useAct(async () => {
    const [kind, name] = to.split(/ (.*)/);
    await change(of(one.sid, "hand-over"), { to: kind, [kind]: name });
    onDone(`${nameOf(one)} was handed over.`);
  });
  const radio = (value, text) => html`<${Radio} group="to" value=${value} is=${to} set=${set}>${text}<//>`;
  const others = told?.workers.filter(({ identity }) => identity !== me.identity);
  return html`<${Sheet} title="Hand over" onClose=${onClose}><form onSubmit=${run}>
    <p class="soft">They see the whole conversation.</p>
    <fieldset><legend>To whoever is free</legend>${radio("queue", "Back to the queue")}${pools.map(({ id, name }) => radio(`pool ${id}`, name))}</fieldset>
    <fieldset><legend>To a colleague</legend>${otherwise || others.map(({ identity, name, status }) =>
    radio(`worker ${identity}`, html`${name} <small class=${status}>${status}</small>`))}${others?.length === 0 && html`<p class="soft">There is nobody else.</p>`}</fieldset>
    <${Acts} busy=${busy} wrong=${wrong} onClose=${onClose}>Hand over<//>
  </form><//>`;
}

export function Close({ one, onDone, onClose }) {
  const [busy, wrong, run] = useAct(async () => {
    await change(of(one.sid, "close"));
    onDone(`The conversation with ${nameOf(one)} is closed.`);
  });
  return html`<${Sheet} title="Close this conversation?" onClose=${onClose}><form onSubmit=${run}>
    <p>${nameOf(one)} can write again at any time; that begins a new one.</p>
    ${one.awaiting_since && html`<p class="wrong">${nameOf(one)} still waits for an answer.</p>`}
    <${Acts} busy=${busy} wrong=${wrong} onClose=${onClose}>Close conversation<//>
  </form><//>`;
}

export function WriteFirst({ me, onDone, onClose }) {
  const [sought, setSought] = useState("");
  const [chosen, setChosen] = useState(null);
  const [told, otherwise] = useAsked(() => ask(`customers?query=${encodeURIComponent(sought)}`), sought);
  return html`<${Sheet} title="Write to a customer" onClose=${onClose}>${chosen
    ? html`<${FirstText} me=${me} customer=${chosen} onBack=${() => setChosen(null)} onDone=${onDone} />`
    : html`<${Search} label="Name or number" value=${sought} set=${setSought} />
      ${otherwise || html`${told.customers.length === 0 && html`<p class="soft">No customer is found.</p>`}
      <ul>${told.customers.map((customer) => html`<li key=${customer.id}><button class="choice" onClick=${() => setChosen(customer)}>
        <${Person} name=${customer.name} under=${customer.addresses.map(bare).join(", ")} /></button></li>`)}</ul>`}`}<//>`;
}

function FirstText({ me, customer, onBack, onDone }) {
  const ways = [...new Set(customer.addresses.flatMap((one) => (/^\+/.test(one) ? [one, `whatsapp:${one}`] : /^whatsapp:/.test(one) ? one : [])))];
  const [address, set] = useState(ways[0]);
  const [body, setBody] = useDraft(me, `first ${customer.id}`);
  const [token] = useState(() => crypto.randomUUID());
  const [busy, wrong, run] = useAct(async () => {
    const { sid } = await change("conversations", { customer: customer.id, channel: channelOf(address), address, body, token });
    setBody("");
    onDone(sid);
  });
  return html`<form onSubmit=${run}>
    <${Person} name=${customer.name} />
    <fieldset><legend>Write to</legend>${ways.length === 0 && "No number is known."}
      ${ways.map((one) => html`<${Radio} group="address" value=${one} is=${address} set=${set}>${bare(one)} <${Channel} of=${channelOf(one)} /><//>`)}</fieldset>
    <textarea rows="4" aria-label="Text" placeholder="Write a message" value=${body} onInput=${(event) => setBody(event.currentTarget.value)}></textarea>
    <${Acts} busy=${busy} off=${!body.trim() || !address} wrong=${wrong} cancel="Another customer" onClose=${onBack}>Write<//>
  </form>`;
}

function Line({ label, note, on, act }) {
  const [busy, wrong, run] = useAct(act);
  return html`<p class="line"><span>${label}<small>${note}</small></span><${Switch} on=${on} label=${label} disabled=${busy} onClick=${run} /></p><${Wrong}>${wrong}<//>`;
}

function Notifications({ device }) {
  const [, draw] = useState(0);
  const drawn = (act) => () => act().finally(() => draw((times) => times + 1));
  const hindrance = device.hindrance();
  if (hindrance) return html`<p class="soft">${hindrance}</p>`;
  return html`<${Line} label="On this device" note="Of a new conversation, and of what customers write when you are not looking." on=${device.on} act=${drawn(() => device.turn())} />
    ${device.on && html`<${Line} label="Show names and words" note="Otherwise just “New message”." on=${device.kept.words} act=${drawn(() => device.tell({ words: !device.kept.words }))} />`}`;
}

const KEYS = [["j k ↓ ↑", "next, previous"], ["Enter", "open"], ["Ctrl + Enter", "send"], ["Escape", "back to the list"], ["?", "this help"]];

export function More({ me, device, unsent, onClose }) {
  const [busy, wrong, run] = useAct(async () => {
    if (device.on) await device.turn().catch(() => {}); // whoever signs in next must not be shown this one's words
    await change("sign-out");
    location.assign(location.pathname);
  });
  return html`<${Sheet} title="More" onClose=${onClose}>
    <${Person} name=${me.name} under=${me.identity} />
    <${Part} title="Notifications"><${Notifications} device=${device} /><//>
    <div class="keys"><${Part} title="Keys"><ul>${KEYS.map(([key, what]) => html`<li><kbd>${key}</kbd> ${what}</li>`)}</ul><//></div>
    ${unsent > 0 && html`<p class="wrong">${count(unsent, "message")} not sent yet; kept on this device.</p>`}
    <${Wrong}>${wrong}<//><p class="acts"><button class="plain" disabled=${busy} onClick=${run}>Sign out</button></p>
  <//>`;
}
