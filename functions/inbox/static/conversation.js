// One conversation: its messages, why it is mine, and what one can do with it.
import { ask, change, now, of } from "./api.js";
import { Composer, useAddress } from "./composer.js";
import { Close, Customer, HandOver, Templates } from "./sheets.js";
import { Waiting, nameOf } from "./list.js";
import { Avatar, Bones, Icon, Wrong, html, useEffect, useLayoutEffect, useRef, useState } from "./parts.js";
import { bare, channelName, clock, day, fromName, size } from "./words.js";

const SETTLED = ["delivered", "read", "failed", "undelivered"];
const WATCHED = 120_000; // this long the delivery of an own message is looked after
const LOOKED_AFTER = 6000; // as often as this
const NEAR_END = 80; // pixels from the end of the log that still count as reading the newest
const SAME_BREATH = 300_000;

const threads = new Map(); // what was read of each conversation while the page is open

function merged(before, told) {
  const messages = new Map((before?.messages || []).map((one) => [one.index, one]));
  for (const one of told.messages) messages.set(one.index, one);
  return [...messages.values()].sort((one, other) => one.index - other.index);
}

// From where on it has to be read again: the first own message whose delivery is not settled, else the end.
function newestKnown(thread) {
  const open = thread.messages.find((one) => one.from === "worker" && one.delivery && !SETTLED.includes(one.delivery.state) && now() - Date.parse(one.at) < WATCHED);
  return open ? open.index - 1 : thread.messages.at(-1)?.index ?? -1;
}

// The messages of one conversation: read when its record changes, while a delivery is open, and when asked for.
function useThread(sid, entry, looks, outbox) {
  const [thread, setThread] = useState(() => threads.get(sid) || null);
  const [wrong, setWrong] = useState("");
  const reading = useRef({ at: 0 });
  const keep = (next) => { threads.set(sid, next); setThread(next); };
  const read = async () => {
    if (reading.current.busy) { reading.current.again = true; return; }
    Object.assign(reading.current, { busy: true, again: false, at: now() });
    const before = threads.get(sid);
    try {
      const told = await ask(of(sid, before?.messages.length ? `messages?after=${newestKnown(before)}` : "messages"));
      const tokens = new Set(told.messages.map((one) => one.token).filter(Boolean));
      keep({ ...told, messages: merged(before, told), more: before ? before.more : told.more });
      for (const { token } of outbox.of(sid)) if (tokens.has(token)) outbox.drop(token);
      setWrong("");
    } catch (failure) {
      setWrong(failure.message);
      if (failure.status === 404) reading.current.gone = true;
    }
    reading.current.busy = false;
    if (reading.current.again) read();
  };
  const earlier = async () => {
    try {
      const told = await ask(of(sid, `messages?before=${threads.get(sid).messages[0].index}`));
      keep({ ...threads.get(sid), messages: merged(threads.get(sid), told), more: told.more });
    } catch (failure) {
      setWrong(failure.message);
    }
  };
  const sent = outbox.of(sid).filter((one) => one.state === "sent").length;
  const written = JSON.stringify(entry && [entry.last, entry.unread, entry.undelivered, entry.state, entry.awaiting_since]);
  useEffect(() => { if (!reading.current.gone) read(); }, [sid, written, sent]);
  useEffect(() => { // at each look: an open delivery, or what could not be read before
    const open = thread && newestKnown(thread) < (thread.messages.at(-1)?.index ?? -1);
    if (!reading.current.gone && (open || wrong) && now() - reading.current.at > LOOKED_AFTER) read();
  }, [looks]);
  return { thread, wrong, earlier };
}

function Medium({ sid, medium }) {
  const address = of(sid, `media/${encodeURIComponent(medium.sid)}`);
  const [broken, setBroken] = useState(false);
  const name = medium.name || "File";
  if (/^image\/(jpeg|png|gif|webp|avif)$/.test(medium.type) && !broken) {
    return html`<a class="shown" href=${address} target="_blank" rel="noopener noreferrer"><img src=${address} alt=${medium.name || "Picture"} loading="lazy" onError=${() => setBroken(true)} /></a>`;
  }
  return html`<a class="file" href=${address} target="_blank" rel="noopener noreferrer"><${Icon} name="file" /><span>${name}<small>${[medium.type, size(medium.size)].filter(Boolean).join(", ")}</small></span></a>`;
}

const DELIVERIES = { sent: "Sent", delivered: "Delivered", read: "Read" };

function Message({ sid, message, me, joined, goesOn, newest, onAgain }) {
  const own = message.from !== "customer";
  const failed = ["failed", "undelivered"].includes(message.delivery?.state);
  const who = fromName(message, me.identity);
  return html`<div class="bubble ${own ? "own" : "theirs"} ${message.from === "service" ? "service" : ""} ${joined ? "joined" : ""} ${failed ? "failed" : ""}">
    ${own && who !== "You" && !joined ? html`<small class="who">${who}<span class="hidden"> wrote: </span></small>` : html`<span class="hidden">${who} wrote: </span>`}
    ${message.media.map((medium) => html`<${Medium} key=${medium.sid} sid=${sid} medium=${medium} />`)}
    ${message.body && html`<p>${message.body}</p>`}
    <small class=${goesOn ? "hidden" : "meta"}><time datetime=${message.at}>${clock(message.at)}</time>${own && newest && !failed && message.delivery ? ` · ${DELIVERIES[message.delivery.state] || ""}` : ""}</small>
    ${failed && html`<p class="wrong">Not delivered: ${message.delivery.reason || "Twilio gave no reason."}${message.body && html` <button class="link" onClick=${() => onAgain(message)}>Try again</button>`}</p>`}
  </div>`;
}

function Unsent({ entry, outbox, onEdit }) {
  const address = useAddress(outbox.blobs.get(entry.token));
  const failed = entry.state === "failed";
  return html`<div class="bubble own ${failed ? "failed" : "going"}">
    <span class="hidden">You wrote: </span>
    ${entry.picture && html`<span class="shown">${address && html`<img src=${address} alt=${entry.picture.name} />`}</span>`}
    ${(entry.text || entry.template) && html`<p>${entry.text || entry.template.content}</p>`}
    <small class="meta">${failed ? clock(entry.at) : entry.state === "sent" ? `${clock(entry.at)} · Sent` : "Sending ..."}</small>
    ${entry.error && html`<p class="wrong">${failed ? "Not sent: " : ""}${entry.error}${failed ? html`
      <button class="link" onClick=${() => outbox.again(entry)}>Try again</button>
      ${entry.text && html`<button class="link" onClick=${() => { outbox.drop(entry.token); onEdit(entry.text); }}>Edit</button>`}
      <button class="link" onClick=${() => outbox.drop(entry.token)}>Delete</button>` : " Trying again ..."}</p>`}
  </div>`;
}

function Log({ one, me, thread, outbox, earlier, onAgain, onEdit }) {
  const log = useRef(null);
  const place = useRef({ atEnd: true, height: 0, first: undefined });
  const [below, setBelow] = useState(false);
  const shown = new Set(thread.messages.map((message) => message.token).filter(Boolean));
  const unsent = outbox.of(one.sid).filter((entry) => !shown.has(entry.token));
  const first = thread.messages[0]?.index;
  const end = () => { log.current.scrollTop = log.current.scrollHeight; };
  useLayoutEffect(() => {
    const { atEnd, height, first: before } = place.current;
    if (before !== undefined && first < before) log.current.scrollTop += log.current.scrollHeight - height; // earlier ones came on top
    else if (atEnd || unsent.length) end();
    else setBelow(true);
    Object.assign(place.current, { height: log.current.scrollHeight, first });
  }, [first, thread.messages.at(-1)?.index, unsent.length]);
  useEffect(() => { // a keyboard that opens, a box that grows
    const watch = new ResizeObserver(() => { if (place.current.atEnd) end(); });
    watch.observe(log.current);
    return () => watch.disconnect();
  }, []);
  const scrolled = () => {
    place.current.atEnd = log.current.scrollHeight - log.current.scrollTop - log.current.clientHeight < NEAR_END;
    if (place.current.atEnd) setBelow(false);
  };
  const newest = thread.messages.findLast((message) => message.from !== "customer")?.index;
  return html`<div class="logs">
    <div class="log" role="log" aria-label="Messages" tabindex="0" ref=${log} onScroll=${scrolled}>
      ${thread.more && html`<p class="middle"><button class="plain" onClick=${earlier}>Show earlier messages</button></p>`}
      ${thread.messages.length + unsent.length === 0 && html`<p class="middle soft">Nothing was written yet.</p>`}
      ${thread.messages.map((message, at) => {
        const [before, next] = [thread.messages[at - 1], thread.messages[at + 1]];
        const newDay = !before || day(before.at, now()) !== day(message.at, now());
        return html`${newDay && html`<p class="day" key=${`day ${message.index}`}><span>${day(message.at, now())}</span></p>`}
          <${Message} key=${message.index} sid=${one.sid} message=${message} me=${me} joined=${inOneBreath(before, message)} goesOn=${inOneBreath(message, next)}
            newest=${message.index === newest} onAgain=${onAgain} />`;
      })}
      ${unsent.map((entry) => html`<${Unsent} key=${entry.token} entry=${entry} outbox=${outbox} onEdit=${onEdit} />`)}
    </div>
    ${below && html`<button class="below" onClick=${() => { end(); setBelow(false); }}><${Icon} name="down" /> New message</button>`}
  </div>`;
}

function inOneBreath(one, next) {
  return Boolean(one && next) && one.author === next.author && Date.parse(next.at) - Date.parse(one.at) < SAME_BREATH && day(one.at, now()) === day(next.at, now());
}

// It was opened, then closed or given to somebody else: what was typed stays to be copied.
const GONE = "This conversation is not with you any more: it was closed, or somebody else has it now.";

export function Conversation({ one, view, looks, outbox, live, say, onBack }) {
  const { state } = view;
  const gone = !state.conversations.some((other) => other.sid === one.sid);
  const { thread, wrong, earlier } = useThread(one.sid, one, looks, outbox);
  const [sheet, setSheet] = useState("");
  const [returned, setReturned] = useState(null);
  const last = thread?.messages.at(-1)?.index;
  useEffect(() => { // what is on the screen has been read
    if (one.unread && last !== undefined && !document.hidden && !gone) {
      change(of(one.sid, "read"), { index: last }).then(() => live.look(), () => {});
    }
  }, [last, one.unread, looks]);
  const leave = (sentence) => { setSheet(""); say(sentence, true); onBack(); live.look(); live.soon(); };
  const again = (message) => { outbox.add(one.sid, { text: message.body }); live.soon(); };
  const put = (text) => setReturned({ text });
  const open = (name) => () => setSheet(name);
  const name = nameOf(one);
  const templatesOnly = Boolean(thread?.window && !thread.window.open);
  const close = () => setSheet("");
  return html`<section class="pane" aria-label=${`Conversation with ${name}`}>
    <div class="head">
      <button class="quiet round" aria-label="Back" title="Back to the list (Escape)" onClick=${onBack}><${Icon} name="back" /></button>
      <${Avatar} name=${name} picture=${one.avatar} />
      <h1>${name}<small>${channelName(one.channel)}${one.address && bare(one.address) !== name ? ` · ${bare(one.address)}` : ""}</small></h1>
      <div class="acts">
        <button class="quiet" aria-label="Customer" title="Customer" onClick=${open("customer")}><${Icon} name="customer" /><span>Customer</span></button>
        <button class="quiet" aria-label="Hand over" title="Hand over" disabled=${gone} onClick=${open("hand")}><${Icon} name="hand" /><span>Hand over</span></button>
        <button class="quiet" aria-label="Close" title="Close the conversation" disabled=${gone} onClick=${open("close")}><${Icon} name="done" /><span>Close</span></button>
      </div>
    </div>
    <p class="why">${view.failure ? html`<span class="lost">${view.failure.message}</span> What you write is kept and sent later.`
      : html`${one.awaiting_since && html`<${Waiting} since=${one.awaiting_since} />`}<span title=${one.why}>${one.why || ""}</span>`}</p>
    ${thread
      ? html`<${Log} one=${one} me=${state.me} thread=${thread} outbox=${outbox} earlier=${earlier} onAgain=${again} onEdit=${put} />`
      : html`<div class="logs">${wrong ? html`<${Wrong}>${wrong}<//>` : html`<${Bones} />`}</div>`}
    <${Composer} key=${one.sid} owner=${state.me.identity} one=${one} limit=${thread?.limit || 1600} media=${thread?.media} outbox=${outbox} returned=${returned}
      blocked=${gone ? GONE : thread?.write} templatesOnly=${templatesOnly} onTemplates=${open("templates")} onSent=${() => live.soon()} />
    ${sheet === "customer" && html`<${Customer} one=${one} onClose=${close} />`}
    ${sheet === "templates" && html`<${Templates} one=${one} mustBeApproved=${templatesOnly} onClose=${close} onText=${put}
      onTemplate=${(template) => { outbox.add(one.sid, { template: { id: template.id, content: template.content } }); live.soon(); }} />`}
    ${sheet === "hand" && html`<${HandOver} one=${one} me=${state.me} pools=${state.pools} onDone=${leave} onClose=${close} />`}
    ${sheet === "close" && html`<${Close} one=${one} onDone=${leave} onClose=${close} />`}
  </section>`;
}
