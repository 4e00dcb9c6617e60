// The customers' side: phones that write to our numbers and show what comes back.
import { Avatar, Bubbles, Writer, html, nameOf, poolName, useState } from "./ui.js";

const NEWCOMERS = "+4477009001";
const HELLOS = ["Hello, is anybody there?", "I have a question about my order.", "Can you call me back?", "My parcel has not come.", "Are you open on Sunday?"];

export function keyOf(from, to) {
  return `${from} ${to}`;
}

export function newNumber() {
  return NEWCOMERS + String(Math.floor(Math.random() * 100)).padStart(2, "0");
}

// Phones are the pairs of addresses that Twilio knows, newest first, and those that have not written yet.
export function phonesOf(state, added) {
  const phones = new Map();
  for (const one of added) phones.set(keyOf(one.from, one.to), { ...one, chats: [] });
  for (const chat of state.chats) {
    const key = keyOf(chat.from, chat.to);
    if (!phones.has(key)) phones.set(key, { from: chat.from, to: chat.to, chats: [] });
    phones.get(key).chats.unshift(chat);
  }
  return [...phones.entries()].map(([key, phone]) => ({ key, ...phone }));
}

function messagesOf(phone) {
  const found = [];
  for (const chat of phone.chats) {
    chat.messages.forEach((message, index) => found.push({ ...message, key: `${chat.sid} ${index}` }));
    if (chat.state === "closed") found.push({ key: `${chat.sid} end`, note: "conversation closed" });
  }
  return found;
}

function channelOf(address) {
  return address.startsWith("whatsapp:") ? "WhatsApp" : "SMS";
}

function Phone({ state, phone, open, onToggle, act }) {
  const name = nameOf(state, phone.from);
  const number = state.numbers.find((one) => one.address === phone.to);
  const messages = messagesOf(phone);
  const last = [...messages].reverse().find((one) => !one.note);
  const chat = phone.chats.at(-1);
  const record = chat && state.conversations.find((one) => one.sid === chat.sid);
  return html`<li class="phone ${open ? "open" : ""}">
    <button class="row" aria-expanded=${open} onClick=${onToggle}>
      <${Avatar} name=${name} />
      <span class="who"><b>${name}</b><small>${channelOf(phone.from)} to ${number?.name || poolName(state, phone.to)}</small></span>
      ${record && html`<span class="state ${record.state}">${record.state}</span>`}
      ${!open && last && html`<span class="last">${last.body}</span>`}
    </button>
    ${open && html`<div class="screen">
      <${Bubbles} label=${`Messages on the phone of ${name}`} messages=${messages} mine=${(one) => one.author === phone.from} />
      ${messages.length === 0 && html`<p class="empty">Nothing written yet.</p>`}
      <${Writer} label=${`Write as ${name}`} placeholder=${`Write as ${name}`}
        onSend=${(body) => act("write", { from: phone.from, to: phone.to, body })} />
    </div>`}
  </li>`;
}

function NewPhone({ state, onAdd, act }) {
  const [who, setWho] = useState("");
  const [to, setTo] = useState(state.numbers[0]?.address || "");
  const number = state.numbers.find((one) => one.address === to) || state.numbers[0];
  const withPhone = state.customers.filter((one) => one.addresses.some((address) => /^(whatsapp:)?\+/.test(address)));
  const add = (event) => {
    event.preventDefault();
    const customer = withPhone.find((one) => one.id === who);
    const bare = (customer?.addresses.find((one) => /^(whatsapp:)?\+/.test(one)) || newNumber()).split(":").pop();
    onAdd({ from: number.channel === "whatsapp" ? `whatsapp:${bare}` : bare, to: number.address });
  };
  const crowd = () => Promise.all(HELLOS.map((body, index) => act("write", { from: `${newNumber().slice(0, -1)}${index}`, to: number.address.split(":").pop(), body })));
  return html`<form class="newphone" aria-label="New phone" onSubmit=${add}>
    <label>Who
      <select value=${who} onChange=${(event) => setWho(event.currentTarget.value)}>
        <option value="">Somebody new</option>
        ${withPhone.map((one) => html`<option key=${one.id} value=${one.id}>${one.name}</option>`)}
      </select>
    </label>
    <label>Writes to
      <select value=${to} onChange=${(event) => setTo(event.currentTarget.value)}>
        ${state.numbers.map((one) => html`<option key=${one.address} value=${one.address}>${one.name}, ${one.channel === "sms" ? "SMS" : "WhatsApp"}</option>`)}
      </select>
    </label>
    <button>Add a phone</button>
    <button type="button" class="plain" onClick=${crowd} title="Five new customers write at the same moment">Five at once</button>
  </form>`;
}

export function Phones({ state, act }) {
  const [added, setAdded] = useState([]);
  const [opened, setOpened] = useState(null);
  const phones = phonesOf(state, added);
  const open = opened || new Set(phones.slice(0, 2).map((phone) => phone.key));
  const toggle = (key) => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpened(next);
  };
  const add = (phone) => {
    setAdded([phone, ...added.filter((one) => keyOf(one.from, one.to) !== keyOf(phone.from, phone.to))]);
    setOpened(new Set([keyOf(phone.from, phone.to), ...open]));
  };
  return html`<section class="column" aria-labelledby="phones">
    <h2 id="phones">Customers' phones</h2>
    ${state.standin
      ? html`<${NewPhone} state=${state} onAdd=${add} act=${act} />
        ${phones.length === 0 && html`<p class="panel empty">No customer has written yet. Add a phone and write.</p>`}
        <ul class="phones">${phones.map((phone) => html`<${Phone} key=${phone.key} state=${state} phone=${phone}
          open=${open.has(phone.key)} onToggle=${() => toggle(phone.key)} act=${act} />`)}</ul>`
      : html`<p class="panel empty">A real Twilio account is in use: write to its number with a real phone. What arrives shows in the queue.</p>`}
  </section>`;
}
