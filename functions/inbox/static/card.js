// The customer's card: contact, notes, earlier conversations, and how the conversation came here.
import { useDraft } from "./drafts.js";
import { ask, change, of } from "./server.js";
import { Rich } from "./text.js";
import { Avatar, Channel, Sheet, Wrong, bare, channelOf, date, html, nameOf, useAct, useAsked, useState } from "./parts.js";

const LONGEST_NOTE = 2000;
const Part = ({ title, children }) => html`<section><h3>${title}</h3>${children}</section>`;

function Link({ link: { value, display_name: name } }) {
  return /^(https?|mailto|tel):/.test(value)
    ? html`<a href=${value} target="_blank" rel="noopener noreferrer">${name || value}</a>` : `${name ? `${name}: ` : ""}${value}`;
}

function Contact({ address }) {
  const kind = address.includes("@") ? "mailto" : /^(whatsapp:)?\+\d/.test(address) && "tel";
  const shown = bare(address);
  return html`<li>${kind ? html`<a href=${`${kind}:${shown}`}>${shown} <${Channel} of=${channelOf(address)} /></a>` : html`${shown} <${Channel} of=${channelOf(address)} />`}</li>`;
}

function Notes({ one, me, first }) {
  const [notes, setNotes] = useState(first);
  const [text, write] = useDraft(me, `note ${one.sid}`);
  const [busy, wrong, run] = useAct(async () => {
    const answer = await change(of(one.sid, "notes"), { text });
    setNotes(answer.notes);
    write("");
  });
  return html`<${Part} title="Notes"><form onSubmit=${run}>
    <textarea rows="2" aria-label="Note" placeholder="For your team, never sent" maxlength=${LONGEST_NOTE} dir="auto" value=${text} onInput=${(event) => write(event.currentTarget.value)}></textarea>
    <${Wrong}>${wrong}<//>
    <p class="acts"><button class="plain" disabled=${busy || !text.trim()}>Add note</button></p></form>
    <ul aria-label="Notes">${notes.map((note) => html`<li class="note"><p class="plainly" dir="auto"><${Rich} text=${note.text} /></p><small>${note.by}, ${date(note.at)}</small></li>`)}</ul><//>`;
}

function Here({ one, onUnread }) {
  return html`<${Part} title="This conversation">
    ${one.why && html`<p>${one.why}</p>`}
    ${one.others?.length > 0 && html`<p>Also in it: ${one.others.join(", ")}</p>`}
    ${one.mine && html`<p class="acts"><button class="plain" onClick=${onUnread}>Mark unread</button></p>`}
  <//>`;
}

export function Customer({ one, me, onUnread, onClose }) {
  const [card, otherwise] = useAsked(() => ask(of(one.sid, "customer")));
  const name = card?.name || nameOf(one);
  return html`<${Sheet} title="Customer" kind="drawer" onClose=${onClose}>${otherwise || html`
    <span class="person"><${Avatar} name=${name} picture=${card.avatar} /><b dir="auto">${name}</b></span>
    ${card.details && html`<${Part} title=${card.details.title || "Details"}><p class="plainly" dir="auto"><${Rich} text=${card.details.content || ""} /></p><//>`}
    ${card.links.length > 0 && html`<${Part} title="Links"><ul>${card.links.map((link) => html`<li><${Link} link=${link} /></li>`)}</ul><//>`}
    <${Part} title="Contact"><ul>${card.addresses.map((address) => html`<${Contact} address=${address} />`)}</ul><//>
    ${card.notes && html`<${Notes} one=${one} me=${me} first=${card.notes} />`}
    <${Here} one=${one} onUnread=${onUnread} />
    <${Part} title="Earlier conversations">${card.earlier.length === 0 && html`<p class="soft">This is the first conversation.</p>`}
      <ul>${card.earlier.map((earlier) => html`<li>${date(earlier.at)} <span class="soft">${earlier.state}${earlier.with ? `, ${earlier.with}` : ""}</span></li>`)}</ul><//>`}<//>`;
}
