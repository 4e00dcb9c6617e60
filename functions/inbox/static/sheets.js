// Dialogs: customer, templates, hand over, close, new conversation, settings and help.
import { clearDrafts, useDraft } from "./drafts.js";
import { ask, change, of } from "./server.js";
import { Avatar, Bones, Channel, Sheet, Switch, Wrong, bare, channelOf, count, html, nameOf, useAct, useAsked, useRef, useState } from "./parts.js";

const Part = ({ title, children }) => html`<section><h3>${title}</h3>${children}</section>`;
const Person = ({ name, picture, under }) => html`<span class="person"><${Avatar} name=${name} picture=${picture} /><b>${name}<small>${under}</small></b></span>`;
const Search = ({ label, value, set }) => html`<input type="search" aria-label=${label} placeholder=${label} value=${value} onInput=${(event) => set(event.currentTarget.value)} />`;
const Radio = ({ group, value, is, set, children }) => html`<label class="radio"><input type="radio" name=${group} checked=${is === value} onChange=${() => set(value)} onKeyDown=${(event) => { if (event.key === "Enter") event.preventDefault(); }} /><span>${children}</span></label>`;
const Acts = ({ busy, off, onClose, cancel = "Cancel", wrong, children }) => html`<${Wrong}>${wrong}<//>
  <p class="acts"><button type="button" class="plain" onClick=${onClose}>${cancel}</button><button disabled=${busy || off}>${children}</button></p>`;

// While the window is open a template goes into the textbox; after that it is sent unchanged.
export function Templates({ one, late, onText, onTemplate, onClose }) {
  const [answer, otherwise] = useAsked(() => ask(of(one.sid, "templates")));
  const [query, setQuery] = useState("");
  const fits = ({ content, approved }) => (approved || !late) && content.toLowerCase().includes(query.toLowerCase());
  const matches = answer?.categories.map(({ name, templates }) => [name, templates.filter(fits)]).filter(([, templates]) => templates.length);
  const choose = (template) => () => { onClose(); (late ? onTemplate : onText)(template); };
  return html`<${Sheet} title="Templates" onClose=${onClose}>
    ${late && html`<p class="soft">${late} WhatsApp has checked the approved ones, so they can be sent at any time. Tap one to send it.</p>`}
    ${otherwise || html`<${Search} label="Find a template" value=${query} set=${setQuery} />
      ${matches.length === 0 && html`<p class="soft">No ${late ? "approved " : ""}templates${query && " match your search"}.</p>`}
      ${matches.map(([name, templates]) => html`<${Part} title=${name}><ul>${templates.map((template) => html`<li>
        <button class="choice" onClick=${choose(template)}><b>${template.id}</b>${template.approved && html` <span class="tag">Approved</span>`}<span dir="auto">${template.content}</span></button></li>`)}</ul><//>`)}`}
  <//>`;
}

export function HandOver({ one, me, pools, onDone, onClose }) {
  const [answer, otherwise] = useAsked(() => ask(of(one.sid, "workers")));
  const [to, set] = useState("queue");
  const [word, setWord] = useState("");
  const [busy, wrong, run] = useAct(async () => {
    const [kind, name] = to.split(/ (.*)/);
    await change(of(one.sid, "hand-over"), { to: kind, [kind]: name, word });
    onDone(`${nameOf(one)} was handed over.`);
  });
  const radio = (value, text) => html`<${Radio} group="to" value=${value} is=${to} set=${set}>${text}<//>`;
  const others = answer?.workers.filter(({ identity }) => identity !== me.identity);
  return html`<${Sheet} title="Hand over" onClose=${onClose}><form onSubmit=${run}>
    <p class="soft">They will see the whole conversation.</p>
    <fieldset><legend>To the next available worker</legend>${radio("queue", "Back to the queue")}${pools.map(({ id, name }) => radio(`pool ${id}`, name))}</fieldset>
    <fieldset><legend>To a colleague</legend>${otherwise || others.map(({ identity, name, status }) =>
    radio(`worker ${identity}`, html`${name} <small class=${status}>${status}</small>`))}${others?.length === 0 && html`<p class="soft">There are no other workers.</p>`}</fieldset>
    <textarea rows="2" aria-label="A word to the next" placeholder="A word to the next (never sent to the customer)" maxlength="500" dir="auto" value=${word} onInput=${(event) => setWord(event.currentTarget.value)}></textarea>
    <${Acts} busy=${busy} wrong=${wrong} onClose=${onClose}>Hand over<//>
  </form><//>`;
}

export function Close({ one, onDone, onClose }) {
  const [busy, wrong, run] = useAct(async () => {
    await change(of(one.sid, "close"));
    onDone(`The conversation with ${nameOf(one)} is closed.`);
  });
  return html`<${Sheet} title="Close this conversation?" onClose=${onClose}><form onSubmit=${run}>
    <p>${nameOf(one)} can write again at any time, which starts a new conversation.</p>
    ${one.awaiting_since && html`<p class="wrong">${nameOf(one)} is still waiting for an answer.</p>`}
    <${Acts} busy=${busy} wrong=${wrong} onClose=${onClose}>Close conversation<//>
  </form><//>`;
}

export function NewConversation({ me, customer = null, onDone, onClose }) {
  const [query, setQuery] = useState("");
  const [chosen, setChosen] = useState(customer);
  const [answer, otherwise] = useAsked(() => change("customers", { query }), query);
  return html`<${Sheet} title="New conversation" onClose=${onClose}>${chosen
    ? html`<${FirstMessage} me=${me} customer=${chosen} onBack=${() => setChosen(null)} onDone=${onDone} />`
    : html`<${Search} label="Name or number" value=${query} set=${setQuery} />
      ${otherwise || html`${answer.customers.length === 0 && html`<p class="soft">No customers found.</p>`}
      <ul>${answer.customers.map((customer) => html`<li key=${customer.id}><button class="choice" onClick=${() => setChosen(customer)}>
        <${Person} name=${customer.name} under=${customer.addresses.map(bare).join(", ")} /></button></li>`)}</ul>`}`}<//>`;
}

function FirstMessage({ me, customer, onBack, onDone }) {
  const ways = [...new Set(customer.addresses.flatMap((one) => (/^\+/.test(one) ? [one, `whatsapp:${one}`] : /^whatsapp:/.test(one) ? one : [])))];
  const [address, set] = useState(ways[0]);
  const [body, setBody] = useDraft(me, `first ${customer.id}`);
  const tokens = useRef(new Map()).current; // a token belongs to one address and one text
  const [picked, pick] = useState("");
  const channel = channelOf(address || "");
  const about = channel === "whatsapp" && `customers/${encodeURIComponent(customer.id)}/templates?${new URLSearchParams({ channel, address })}`;
  const [answer, otherwise] = useAsked(async () => ({ about, ...about && await ask(about) }), about);
  const loaded = answer?.about === about && answer;
  const late = about && loaded && loaded.window?.why;
  const what = late ? { template: picked } : { body };
  const [busy, wrong, run] = useAct(async () => {
    const about = JSON.stringify([address, what]);
    if (!tokens.has(about)) tokens.set(about, crypto.randomUUID());
    const { sid } = await change("conversations", { customer: customer.id, channel, address, ...what, token: tokens.get(about) });
    setBody("");
    onDone(sid);
  });
  return html`<form onSubmit=${run}>
    <${Person} name=${customer.name} />
    <fieldset><legend>Write to</legend>${ways.length === 0 && "This customer has no phone number."}
      ${ways.map((one) => html`<${Radio} group="address" value=${one} is=${address} set=${set}>${bare(one)} <${Channel} of=${channelOf(one)} /><//>`)}</fieldset>
    ${about && !loaded ? otherwise || html`<${Bones} />` : late ? html`<fieldset><legend>Template</legend><p class="soft">${late}</p>
      ${loaded.categories.length === 0 && html`<p class="soft">There are no approved templates.</p>`}
      ${loaded.categories.flatMap(({ templates }) => templates).map(({ id, content }) => html`<${Radio} group="template" value=${id} is=${picked} set=${pick}><b>${id}</b><br /><span dir="auto">${content}</span><//>`)}</fieldset>`
      : html`<textarea rows="4" aria-label="Text" dir="auto" placeholder="Write a message" value=${body} onInput=${(event) => setBody(event.currentTarget.value)}></textarea>`}
    <${Acts} busy=${busy} off=${!Object.values(what)[0].trim() || !address || (about && !loaded)} wrong=${wrong} cancel="Another customer" onClose=${onBack}>Write<//>
  </form>`;
}

function Line({ label, note, on, act }) {
  const [busy, wrong, run] = useAct(act);
  return html`<p class="line"><span>${label}<small>${note}</small></span><${Switch} on=${on} label=${label} disabled=${busy} onClick=${run} /></p><${Wrong}>${wrong}<//>`;
}

function Notifications({ device }) {
  const [, draw] = useState(0);
  const drawn = (act) => () => act().finally(() => draw((times) => times + 1));
  const obstacle = device.obstacle();
  if (obstacle) return html`<p class="soft">${obstacle}</p>`;
  return html`<${Line} label="On this device" note="For new conversations, and for messages while this page isn't visible." on=${device.on} act=${drawn(() => device.toggle())} />
    ${device.on && html`<${Line} label="Show names and text" note="If off, you only see “New message”." on=${device.kept.words} act=${drawn(() => device.register({ words: !device.kept.words }))} />`}`;
}

const KEYS = [["j k ↓ ↑", "next, previous"], ["Enter", "open"], ["Ctrl + Enter", "send"], ["Escape", "back to the list"], ["?", "this help"]];

// The next person on this device must not see this worker's drafts.
async function leave(me, device, { everywhere = false, to = location.pathname }) {
  if (device.on) await device.toggle().catch(() => {});
  if (to === location.pathname) await change("sign-out", { everywhere });
  await clearDrafts(me);
  location.assign(to);
}

// Behind Google's proxy, only Google can end a session.
const SIGN_OUT = [["Sign out everywhere", { everywhere: true }], ["Sign out", {}]];
const ANOTHER = [["Use another account", { to: "?gcp-iap-mode=CLEAR_LOGIN_COOKIE" }]];

export function More({ me, device, unsent, own, onClose }) {
  const [busy, wrong, run] = useAct((how) => leave(me, device, how));
  return html`<${Sheet} title="More" onClose=${onClose}>
    <${Person} name=${me.name} under=${me.identity} />
    <${Part} title="Notifications"><${Notifications} device=${device} /><//>
    <div class="keys"><${Part} title="Keys"><ul>${KEYS.map(([key, what]) => html`<li><kbd>${key}</kbd> ${what}</li>`)}</ul><//></div>
    ${unsent > 0 && html`<p class="wrong">${count(unsent, "message")} not sent yet, kept on this device.</p>`}
    <${Wrong}>${wrong}<//>${!own && html`<p class="soft">Google signs you in. To sign out, sign out of your Google account.</p>`}
    <p class="acts">${(own ? SIGN_OUT : ANOTHER).map(([label, how]) => html`<button class="plain" disabled=${busy} onClick=${() => run(null, how)}>${label}</button>`)}</p>
  <//>`;
}
