// What opens over a conversation or the list: customer, templates, hand over, close, write first, settings and help.
import { ask, change, of } from "./api.js";
import { Avatar, Bones, Sheet, Wrong, html, useAct, useAsked, useEffect, useState } from "./parts.js";
import { nameOf } from "./list.js";
import { bare, channelName, count, dateAndTime } from "./words.js";

const STATES = { unrouted: "not routed", queued: "waiting", assigning: "being assigned", assigned: "open", inactive: "asleep", closed: "closed" };

function Link({ one }) {
  const text = one.display_name || one.value;
  return /^https?:\/\//.test(one.value)
    ? html`<a href=${one.value} target="_blank" rel="noopener noreferrer">${text}</a>`
    : html`<span>${text}${one.display_name && one.display_name !== one.value ? `: ${one.value}` : ""}</span>`;
}

function Card({ card }) {
  return html`<div class="card">
    <div class="cardtop"><${Avatar} name=${card.name || ""} picture=${card.avatar} /><p class="cardname">${card.name || "Unknown"}</p></div>
    ${card.details && html`<section><h3>${card.details.title || "Details"}</h3><p class="plainly">${card.details.content}</p></section>`}
    ${card.links.length > 0 && html`<section><h3>Links</h3><ul>${card.links.map((one, at) => html`<li key=${at}><${Link} one=${one} /></li>`)}</ul></section>`}
    <section><h3>Reached at</h3>
      ${card.addresses.length === 0 && html`<p class="soft">No address is known.</p>`}
      <ul>${card.addresses.map((one) => html`<li key=${one}>${bare(one)} <span class="tag">${channelName(channelOf(one))}</span></li>`)}</ul></section>
    <section><h3>Earlier conversations</h3>
      ${card.earlier.length === 0 && html`<p class="soft">This is the first one.</p>`}
      <ul>${card.earlier.map((one) => html`<li key=${one.sid}>${dateAndTime(one.at)}<span class="soft"> ${STATES[one.state] || one.state}${one.worker ? `, ${one.worker}` : ""}</span></li>`)}</ul></section>
  </div>`;
}

export const channelOf = (address) => (/^[a-z]+:/.test(address) ? address.split(":")[0] : address.includes("@") ? "email" : "sms");

export function Customer({ one, onClose }) {
  const [card, wrong] = useAsked(() => ask(of(one.sid, "customer")));
  return html`<${Sheet} title="Customer" kind="drawer" onClose=${onClose}>
    ${wrong ? html`<${Wrong}>${wrong}<//>` : card ? html`<${Card} card=${card} />` : html`<${Bones} />`}
  <//>`;
}

// Within the window a template goes into the textbox, to be changed there; after it, it is sent as it is.
export function Templates({ one, mustBeApproved, onText, onTemplate, onClose }) {
  const [told, wrong] = useAsked(() => ask(of(one.sid, "templates")));
  const [sought, setSought] = useState("");
  const fits = (template) => template.content.toLowerCase().includes(sought.toLowerCase()) && (!mustBeApproved || template.approved);
  const shown = (told?.categories || []).map((category) => ({ ...category, templates: category.templates.filter(fits) })).filter((category) => category.templates.length);
  const choose = (template) => (mustBeApproved ? onTemplate(template) : onText(template.content));
  return html`<${Sheet} title="Templates" onClose=${onClose}>
    ${mustBeApproved && html`<p class="soft">More than 24 hours have passed since the customer wrote: WhatsApp takes only approved templates. A tap sends one.</p>`}
    ${wrong && html`<${Wrong}>${wrong}<//>`}
    ${!told && !wrong && html`<${Bones} />`}
    ${told && html`<input type="search" aria-label="Find a template" placeholder="Find a template" value=${sought} onInput=${(event) => setSought(event.currentTarget.value)} />`}
    ${told && shown.length === 0 && html`<p class="soft">${sought ? "No template has these words." : mustBeApproved ? "There is no approved template." : "There are no templates yet."}</p>`}
    ${shown.map((category) => html`<section key=${category.name}><h3>${category.name}</h3>
      <ul class="choices">${category.templates.map((template) => html`<li key=${template.id}>
        <button class="choice" onClick=${() => { onClose(); choose(template); }}>${template.content}</button></li>`)}</ul></section>`)}
  <//>`;
}

function Radio({ name, value, to, setTo, disabled, children }) {
  return html`<label class="radio"><input type="radio" name=${name} value=${value} checked=${to === value} disabled=${disabled} onChange=${() => setTo(value)} /><span>${children}</span></label>`;
}

export function HandOver({ one, me, pools, onDone, onClose }) {
  const [told, wrong] = useAsked(() => ask(of(one.sid, "workers")));
  const [to, setTo] = useState("queue");
  const { busy, error, run } = useAct(async () => {
    const [kind, ...rest] = to.split(" ");
    const named = rest.join(" ");
    await change(of(one.sid, "hand-over"), kind === "queue" ? { to: "queue" } : { to: kind, [kind]: named });
    onDone(`${nameOf(one)} was handed over.`);
  });
  const workers = (told?.workers || []).filter((worker) => worker.identity !== me.identity);
  const submit = (event) => { event.preventDefault(); run(); };
  return html`<${Sheet} title="Hand over" onClose=${onClose}>
    <form onSubmit=${submit}>
      <p class="soft">Whoever takes ${nameOf(one)} over sees the whole conversation.</p>
      <fieldset><legend>To whoever is free</legend>
        <${Radio} name="to" value="queue" to=${to} setTo=${setTo}>Back to the queue<//>
        ${pools.map((pool) => html`<${Radio} key=${pool.id} name="to" value=${`pool ${pool.id}`} to=${to} setTo=${setTo}>${pool.name}<//>`)}
      </fieldset>
      <fieldset><legend>To a colleague</legend>
        ${!told && !wrong && html`<${Bones} />`}
        ${wrong && html`<${Wrong}>${wrong}<//>`}
        ${told && workers.length === 0 && html`<p class="soft">There is nobody else.</p>`}
        ${workers.map((worker) => html`<${Radio} key=${worker.identity} name="to" value=${`worker ${worker.identity}`} to=${to} setTo=${setTo}>
          ${worker.name} <span class=${`presence ${worker.status === "Available" ? "here" : ""}`}>${worker.status}</span><//>`)}
      </fieldset>
      ${error && html`<${Wrong}>${error}<//>`}
      <p class="acts"><button type="button" class="plain" onClick=${onClose}>Cancel</button><button disabled=${busy}>${busy ? "Handing over ..." : "Hand over"}</button></p>
    </form>
  <//>`;
}

export function Close({ one, onDone, onClose }) {
  const { busy, error, run } = useAct(async () => {
    await change(of(one.sid, "close"));
    onDone(`The conversation with ${nameOf(one)} is closed.`);
  });
  return html`<${Sheet} title="Close this conversation?" kind="small" onClose=${onClose}>
    <p>${nameOf(one)} can write again at any time; that begins a new one.</p>
    ${one.awaiting_since && html`<p class="wrong">${nameOf(one)} still waits for an answer.</p>`}
    ${error && html`<${Wrong}>${error}<//>`}
    <p class="acts"><button class="plain" onClick=${onClose}>Cancel</button><button disabled=${busy} onClick=${run}>${busy ? "Closing ..." : "Close conversation"}</button></p>
  <//>`;
}

export function WriteFirst({ onDone, onClose }) {
  const [sought, setSought] = useState("");
  const [found, setFound] = useState(null);
  const [chosen, setChosen] = useState(null);
  const [wrong, setWrong] = useState("");
  useEffect(() => {
    const timer = setTimeout(() => ask(`customers?query=${encodeURIComponent(sought)}`)
      .then((told) => { setFound(told.customers); setWrong(""); }, (failure) => setWrong(failure.message)), sought ? 250 : 0);
    return () => clearTimeout(timer);
  }, [sought]);
  return html`<${Sheet} title="Write to a customer" onClose=${onClose}>
    ${chosen ? html`<${FirstText} customer=${chosen} onBack=${() => setChosen(null)} onDone=${onDone} />` : html`
      <input type="search" aria-label="Find a customer" placeholder="Name or number" value=${sought} onInput=${(event) => setSought(event.currentTarget.value)} />
      ${wrong && html`<${Wrong}>${wrong}<//>`}
      ${!found && !wrong && html`<${Bones} />`}
      ${found?.length === 0 && html`<p class="soft">No customer is found.</p>`}
      <ul class="choices">${(found || []).map((customer) => html`<li key=${customer.id}>
        <button class="choice person" onClick=${() => setChosen(customer)}><${Avatar} name=${customer.name} /><span>${customer.name}<small>${customer.addresses.map(bare).join(", ")}</small></span></button></li>`)}</ul>`}
  <//>`;
}

function FirstText({ customer, onBack, onDone }) {
  const [address, setAddress] = useState(customer.addresses[0] || "");
  const [body, setBody] = useState("");
  const [token] = useState(() => crypto.randomUUID());
  const { busy, error, run } = useAct(async () => {
    const told = await change("conversations", { customer: customer.id, channel: channelOf(address), address, body, token }, { seconds: 40 });
    onDone(told.sid);
  });
  const submit = (event) => { event.preventDefault(); if (body.trim()) run(); };
  return html`<form onSubmit=${submit}>
    <p class="cardtop"><${Avatar} name=${customer.name} /><b class="cardname">${customer.name}</b></p>
    ${customer.addresses.length === 0 && html`<p class="wrong">No address of ${customer.name} is known.</p>`}
    <fieldset><legend>Write to</legend>
      ${customer.addresses.map((one) => html`<${Radio} key=${one} name="address" value=${one} to=${address} setTo=${setAddress}>${bare(one)} <span class="tag">${channelName(channelOf(one))}</span><//>`)}
    </fieldset>
    <label class="field">Text<textarea rows="4" value=${body} onInput=${(event) => setBody(event.currentTarget.value)}></textarea></label>
    ${error && html`<${Wrong}>${error}<//>`}
    <p class="acts"><button type="button" class="plain" onClick=${onBack}>Another customer</button><button disabled=${busy || !body.trim() || !address}>${busy ? "Sending ..." : "Send the first text"}</button></p>
  </form>`;
}

function Notifications({ device }) {
  const [, drawn] = useState(0);
  const draw = (act) => async () => { await act(); drawn((times) => times + 1); };
  const { busy, error, run } = useAct(draw(() => (device.on() ? device.turnOff() : device.turnOn())));
  const text = useAct(draw(() => device.tell({ text: !device.kept.text })));
  const hindrance = device.hindrance();
  if (hindrance) return html`<p class="soft">${hindrance}</p>`;
  return html`
    <p class="line"><span>On this device<small>When a conversation comes to you, and when the customer writes and you are not looking.</small></span>
      <button class="switch" role="switch" aria-checked=${device.on()} aria-label="Notifications on this device" disabled=${busy} onClick=${run}><i class="knob"></i></button></p>
    ${device.on() && html`<p class="line"><span>Show the text<small>Otherwise just “New message”.</small></span>
      <button class="switch" role="switch" aria-checked=${device.kept.text} aria-label="Show the text" disabled=${text.busy} onClick=${text.run}><i class="knob"></i></button></p>`}
    ${(error || text.error) && html`<${Wrong}>${error || text.error}<//>`}`;
}

const KEYS = [["j / k, ↓ / ↑", "to the next, the one before"], ["Enter", "open it"], ["Ctrl + Enter", "send"], ["Escape", "back to the list"], ["?", "this help"]];

export function More({ me, device, unsent, onClose }) {
  const { busy, error, run } = useAct(async () => {
    await change("sign-out");
    location.assign(location.pathname);
  });
  return html`<${Sheet} title="More" onClose=${onClose}>
    <section class="cardtop"><${Avatar} name=${me.name} /><p class="cardname">${me.name}<small>${me.identity}</small></p></section>
    <section><h3>Notifications</h3><${Notifications} device=${device} /></section>
    <section class="keys"><h3>Keys</h3><dl>${KEYS.map(([key, what]) => html`<div key=${key}><dt><kbd>${key}</kbd></dt><dd>${what}</dd></div>`)}</dl></section>
    ${unsent > 0 && html`<p class="wrong">${count(unsent, "message")} not sent yet; they are kept on this device.</p>`}
    ${error && html`<${Wrong}>${error}<//>`}
    <p class="acts"><button class="plain" disabled=${busy} onClick=${run}>Sign out</button></p>
  <//>`;
}
