// One conversation and its actions.
import { MOST_FILES, keepFiles, keptFiles } from "./device.js";
import { useDraft } from "./drafts.js";
import { ago, ask, change, now, of } from "./server.js";
import { Earlier } from "./earlier.js";
import { Close, Customer, HandOver, Templates } from "./lazy.js";
import { Medium, Rich } from "./text.js";
import { Avatar, Bones, Channel, Icon, Round, Waits, Wrong, bare, clock, count, day, html, inWords, nameOf, size, useEffect, useLayoutEffect, useRef, useState } from "./parts.js";

const [WATCHED, AS_OFTEN] = [120_000, 6000]; // milliseconds: how long and how often a delivery is checked
const MOST_NEW = 200; // messages in one answer
const GROUP_SPAN = 300_000; // milliseconds between messages that are grouped
const NEAR = 200; // characters; fewer than these left are shown
const EDGE = 2048; // pixels; a larger photo is scaled down

const PICTURE = /^image\/(jpe?g|png|gif|webp)$/;
const BESIDE = "(min-width: 1180px)"; // room for the card beside the conversation

let isCardOpen = false; // stays open from one conversation to the next

const threads = new Map(); // messages by conversation, while the page is open
const chosen = new Map(); // files by conversation that are chosen and not sent
const places = new Map(); // how far a thread is scrolled, by conversation; none at its end

// A message that was not delivered is sent again under this token, so only once.
const tokenAgain = ({ sid }) => `again-${sid}`;

const failedToArrive = ({ delivery }) => ["failed", "undelivered"].includes(delivery?.state);
const isInTransit = ({ from, delivery, at }) => from === "worker" && delivery?.state === "sent" && ago(at) < WATCHED;

// Reads the thread when the conversation's record changes, and while a delivery is pending.
function useThread(sid, one, looks, outbox) {
  const [thread, setThread] = useState(threads.get(sid));
  const [wrong, setWrong] = useState("");
  const reading = useRef({ at: 0 });
  const read = async (rest, replaced) => { // replaced: the messages from this index on are read again
    const my = reading.current;
    if (my.busy) { my.again = true; return; }
    Object.assign(my, { busy: true, again: false, at: now() });
    const before = threads.get(sid);
    const { corrected } = rest.includes("before") ? before : one;
    try {
      const answer = await ask(of(sid, `messages${rest}`));
      const start = answer.messages.length < MOST_NEW ? replaced : answer.messages[0].index;
      const known = (before?.messages || []).filter(({ index }) => replaced === undefined || index < start);
      const all = new Map([...known, ...answer.messages].map((message) => [message.index, message]));
      for (const { index, delivery } of answer.deliveries) if (all.has(index)) all.set(index, { ...all.get(index), delivery });
      const messages = [...all.values()].sort((first, second) => first.index - second.index);
      const { more, page } = before && !rest.includes("before") ? before : answer;
      threads.set(sid, { ...answer, messages, more, page, corrected });
      setThread(threads.get(sid));
      for (const { token } of answer.messages) if (token) outbox.drop(token);
      setWrong("");
    } catch (failure) {
      setWrong(failure.message);
    }
    my.busy = false;
    if (my.again) newer();
  };
  const newer = () => {
    const { messages = [], corrected } = threads.get(sid) || {};
    if (messages.length === 0) return read("");
    const first = messages[0].index;
    if (corrected !== one.corrected) return read(`?after=${first - 1}`, first);
    return read(`?after=${messages.at(-1).index}`);
  };
  const sent = outbox.of(sid).filter(({ state }) => state === "sent").length;
  useEffect(() => { newer(); }, [JSON.stringify([one.last, one.corrected, one.undelivered, one.state, one.awaiting_since, one.opted_out]), sent]);
  useEffect(() => {
    if ((wrong || thread?.messages.some(isInTransit)) && now() - reading.current.at > AS_OFTEN) newer();
  }, [looks]);
  return [thread, wrong, () => read(`?before=${thread.messages[0].index}${thread.page ? `&page=${encodeURIComponent(thread.page)}` : ""}`)];
}

function Message({ sid, message, me, before, next, newest, repeated, onAgain }) {
  const { from, author, at, body, described, media, delivery } = message;
  const isGrouped = (one, other) => one && other && one.author === other.author && Date.parse(other.at) - Date.parse(one.at) < GROUP_SPAN;
  const failed = failedToArrive(message);
  const who = from === "service" ? "Automatic message" : author === me.identity ? "You" : message.name || author;
  const joined = isGrouped(before, message);
  return html`<div class="bubble ${from === "customer" ? "theirs" : "own"} ${from} ${joined ? "joined" : ""} ${failed ? "failed" : ""}">
    <small class=${from === "customer" || who === "You" || joined ? "hidden" : ""} dir="auto">${who}<span class="hidden"> wrote: </span></small>
    ${media.map((medium) => html`<${Medium} key=${medium.sid} sid=${sid} medium=${medium} />`)}
    ${body && html`<p class=${described && "soft"} dir="auto"><${Rich} text=${body} /></p>`}
    <small class=${isGrouped(message, next) ? "hidden" : "meta"}><time datetime=${at}>${clock(at)}</time>${newest && delivery && !failed && ` · ${delivery.state}`}</small>
    ${failed && html`<p class="wrong">Not delivered: ${delivery.reason || "no reason was given."} ${delivery.link && html`<a href=${delivery.link} target="_blank" rel="noopener noreferrer">Explanation</a>`} ${repeated ? "Sent again." : !described && delivery.again && onAgain && html`<button class="link" onClick=${() => onAgain(message)}>Try again</button>`}</p>`}
  </div>`;
}

function Unsent({ entry, outbox, onEdit }) {
  const { state, file, text, content, error, at, token } = entry;
  const failed = state === "failed";
  const isStuck = failed || entry.tries > 2;
  const drop = () => outbox.drop(token);
  return html`<div class="bubble own ${failed ? "failed" : "going"}"><span class="hidden">You wrote: </span>
    ${file ? html`<${Local} blob=${outbox.blobs.get(token)} ...${file} />` : html`<p dir="auto">${text || content}</p>`}
    <small class="meta">${state === "waiting" ? "Sending ..." : clock(at)}</small>
    ${error && html`<p class="wrong">${failed ? "Not sent: " : ""}${error} ${!failed && "Trying again ..."} ${isStuck && html`
      <button class="link" onClick=${() => outbox.again(entry)}>Try again</button>
      ${failed && text && html`<button class="link" onClick=${() => { drop(); onEdit(text); }}>Edit</button>`}
      <button class="link" onClick=${drop}>Delete</button>`}</p>`}
  </div>`;
}

function Log({ sid, me, thread: { messages, more }, outbox, earlier, onAgain, onEdit }) {
  const log = useRef(null);
  const place = useRef({ atEnd: true });
  const [below, setBelow] = useState(false);
  const shown = new Set(messages.map(({ token }) => token));
  const unsent = outbox.of(sid).filter(({ token }) => !shown.has(token));
  const tokens = new Set([...shown, ...unsent.map(({ token }) => token)]);
  const first = messages[0]?.index;
  const toEnd = () => { log.current.scrollTop = log.current.scrollHeight; };
  useLayoutEffect(() => {
    const { atEnd, height, first: before } = place.current;
    if (height === undefined && places.has(sid)) { // as it was before another conversation was opened
      log.current.scrollTop = places.get(sid);
      place.current.atEnd = false;
    } else if (first < before) log.current.scrollTop += log.current.scrollHeight - height; // earlier messages were added on top
    else if (atEnd || unsent.length) toEnd();
    else setBelow(true);
    Object.assign(place.current, { height: log.current.scrollHeight, first });
  }, [first, messages.at(-1)?.index, unsent.length]);
  useEffect(() => { // the on-screen keyboard opens, or the textbox grows
    const watch = new ResizeObserver(() => place.current.atEnd && toEnd());
    watch.observe(log.current);
    return () => watch.disconnect();
  }, []);
  const scrolled = () => {
    const { scrollHeight, scrollTop, clientHeight } = log.current;
    place.current.atEnd = scrollHeight - scrollTop - clientHeight < NEAR;
    if (place.current.atEnd) { setBelow(false); places.delete(sid); } else places.set(sid, scrollTop);
  };
  const newest = messages.findLast(({ from }) => from === "worker");
  return html`<div class="logs">
    <div class="log" role="log" aria-label="Messages" tabindex="0" ref=${log} onScroll=${scrolled}>
      <${Earlier} sid=${sid} me=${me} isFirst=${!more} Message=${Message} />
      <button class="plain middle" hidden=${!more} onClick=${earlier}>Show earlier messages</button>
      ${messages.length + unsent.length === 0 && html`<p class="middle soft">No messages yet.</p>`}
      ${messages.flatMap((message, at) => { // one flat list with keys, so that earlier messages are put before the others
        const sameDay = (one) => one && day(one.at) === day(message.at) && one;
        const before = sameDay(messages[at - 1]);
        const shown = html`<${Message} key=${message.index} ...${{ sid, message, me, before, onAgain }} next=${sameDay(messages[at + 1])} newest=${message === newest} repeated=${tokens.has(tokenAgain(message))} />`;
        return before ? [shown] : [html`<p key=${`day ${message.index}`} class="middle day">${day(message.at)}</p>`, shown];
      })}
      ${unsent.map((entry) => html`<${Unsent} key=${entry.token} entry=${entry} outbox=${outbox} onEdit=${onEdit} />`)}
    </div>
    ${below && html`<button class="below" onClick=${toEnd}>New message</button>`}
  </div>`;
}

// Scales a photo down if it is too large.
async function fitted(file, types, most) {
  const kind = file.type.split(";")[0];
  if (!types.includes(kind)) throw new Error(`${file.name} can't be sent here. ${/hei[cf]/.test(kind) ? "Save it as JPEG and try again." : `You can send ${types.map((type) => type.split("/")[1]).join(", ")}.`}`);
  if (file.size <= most) return file;
  const smaller = file.type !== "image/gif" && await shrunk(file).catch(() => null);
  if (smaller?.size <= most) return smaller;
  throw new Error(`${file.name} is too large (${size(file.size)}). You can send up to ${size(most)}.`);
}

async function shrunk(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, EDGE / Math.max(picture.width, picture.height));
  const canvas = Object.assign(document.createElement("canvas"), { width: picture.width * scale, height: picture.height * scale });
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  return new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" });
}

// Shows a file before it is sent; a picture is shown from memory.
function Local({ blob, type, name }) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    if (!blob || !PICTURE.test(type)) return undefined;
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return PICTURE.test(type) ? html`<span class="shown">${address && html`<img src=${address} alt=${name} />`}</span>`
    : html`<span class="file"><${Icon} name="file" />${name}</span>`;
}

// Keeps the chosen files with their conversation.
function useFiles(me, sid) {
  const [list, setList] = useState(chosen.get(sid) || []);
  const keep = (files) => { chosen.set(sid, files); setList(files); };
  useEffect(() => {
    if (!chosen.has(sid)) keptFiles(me, sid).then((files) => files.length && !chosen.has(sid) && keep(files));
  }, []);
  return [list, (files) => { keep(files); keepFiles(me, sid, files); }];
}

// Takes the files that are dropped anywhere on the page.
function useDrop(take) {
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const dropped = ({ dataTransfer }) => latest.current(dataTransfer.files);
    addEventListener("drop", dropped);
    return () => removeEventListener("drop", dropped);
  }, []);
}

function Composer({ me, sid, name, rules: { limit = 1600, files = [], largest_file: largest, window }, blocked, late, outbox, put, onTemplates, onSent }) {
  const box = useRef(null);
  const [text, write] = useDraft(me, sid, box);
  const [attached, setAttached] = useFiles(me, sid);
  const [wrong, setWrong] = useState("");
  const chooser = useRef(null);
  const left = limit - text.length;
  const off = Boolean(blocked || late);
  const empty = !text.trim() && attached.length === 0;
  const until = window?.until && inWords(Date.parse(window.until) - now());

  useLayoutEffect(() => { // as high as its text, for browsers without field-sizing
    box.current.style.height = 0;
    box.current.style.height = `${box.current.scrollHeight + 2}px`;
  }, [text]);
  useEffect(() => { // a template, or an unsent message to edit
    if (!put) return;
    const { selectionStart: start, selectionEnd: end } = box.current;
    write(text.slice(0, start) + put.text + text.slice(end));
    box.current.focus();
  }, [put]);

  const choose = async (added) => {
    setWrong("");
    for (const file of [...added]) {
      const add = (fit) => setAttached([...(chosen.get(sid) || []), fit].slice(-MOST_FILES));
      await fitted(file, files, largest).then(add, (failure) => setWrong(failure.message));
    }
    if (chooser.current) chooser.current.value = "";
  };
  useDrop((dropped) => { if (!off && !document.querySelector("dialog[open]")) choose(dropped); });
  const pasted = (event) => { // text that comes with a picture of itself stays text
    const { files: added, types } = event.clipboardData;
    if (off || added.length === 0 || types.includes("text/plain")) return;
    event.preventDefault();
    choose(added);
  };
  const send = (event) => {
    event.preventDefault();
    if (off || left < 0 || empty) return;
    for (const file of attached) outbox.add(sid, { name, file: { name: file.name, type: file.type } }, file);
    if (text.trim()) outbox.add(sid, { name, text: text.trim() });
    setAttached([]);
    write("");
    box.current.focus();
    onSent();
  };
  const keys = (event) => { if (event.key === "Enter" && !event.isComposing && (event.ctrlKey || event.metaKey)) send(event); };
  return html`<form class="composer" onSubmit=${send}>
    ${off && html`<p class="notice">${blocked || late}</p>`}
    <${Wrong}>${wrong}<//>
    ${attached.map((file) => html`<div class="chosen"><${Local} blob=${file} type=${file.type} name="Preview" /><span>${file.name}<small>${size(file.size)}</small></span>
      <${Round} icon="away" label="Remove the file" onClick=${() => setAttached(attached.filter((other) => other !== file))} /></div>`)}
    <div class="writing">
      ${files.length > 0 && html`<label class="round attach ${off ? "off" : ""}" title="Attach a picture or file"><${Icon} name="picture" /><input ref=${chooser} class="hidden" type="file" multiple
        aria-label="Attach a picture or file" accept=${files.join()} disabled=${off} onChange=${(event) => choose(event.currentTarget.files)} /></label>`}
      <${Round} icon="templates" label="Templates" disabled=${Boolean(blocked)} onClick=${onTemplates} />
      <textarea ref=${box} aria-label="Message" rows="1" dir="auto" placeholder=${late ? "Choose a template" : "Write a message"} value=${text} readonly=${off}
        onInput=${(event) => write(event.currentTarget.value)} onKeyDown=${keys} onPaste=${pasted}></textarea>
      <${Round} icon="send" label="Send" kind="" type="submit" disabled=${off || left < 0 || empty} />
    </div>
    <p class="counted ${left < 0 ? "lost" : ""}" role="status">${left < 0 ? `${count(-left, "character")} too many: you can send ${limit.toLocaleString("en")} at once.`
      : left < NEAR ? `${count(left, "character")} left` : !off && until && `${until} left to reply freely`}</p>
  </form>`;
}

function Gone({ sentence, onBack }) {
  return html`<section class="pane" aria-label="Conversation"><div class="nothing"><p role="alert">${sentence}</p><button onClick=${onBack}>Back to the list</button></div></section>`;
}

export function Conversation({ one, view: { state, failure, looks }, outbox, live, say, onBack }) {
  const { sid } = one;
  const name = nameOf(one);
  const gone = !state.conversations.some((other) => other.sid === sid);
  const [thread, wrong, earlier] = useThread(sid, one, looks, outbox);
  const [sheet, setSheet] = useState("");
  const [hasCard, setHasCard] = useState(isCardOpen && matchMedia(BESIDE).matches);
  const [put, setPut] = useState(null);
  const last = thread?.messages.at(-1)?.index;
  const reading = useRef({}).current;
  useEffect(() => { // marks what is on the screen as read; what was lost is repeated at the next look
    const what = `${last} ${one.unread}`;
    const isDue = one.mine && one.unread && last !== undefined && !gone && !document.hidden;
    if (!isDue || reading.busy || reading.done === what) return;
    reading.busy = true;
    change(of(sid, "read"), { index: last }).then(() => { reading.done = what; live.look(); }, () => {}).then(() => { reading.busy = false; });
  }, [last, one.unread, looks]);
  useEffect(() => { // focusing the textbox on a phone would open the keyboard
    if (thread) document.querySelector(matchMedia("(hover: hover)").matches ? "textarea" : ".log").focus();
  }, [!thread]);
  const late = thread?.window?.why;
  const close = () => setSheet("");
  const leave = (sentence) => { close(); say(sentence); onBack(); live.look(); live.soon(); };
  const send = (what, token) => { outbox.add(sid, { name, ...what }, undefined, token); live.soon(); };
  const sendAgain = (message) => send({ again: message.sid, content: message.body || message.media[0]?.name || "File" }, tokenAgain(message));
  const write = (text) => setPut({ text });
  const showCard = (on) => { isCardOpen = on; setHasCard(on); };
  const markUnread = () => change(of(sid, "unread")).then(() => { showCard(false); leave("Marked as unread."); }, (failure) => say(failure.message, "bad"));
  if (gone && !thread && wrong) return html`<${Gone} sentence=${wrong} onBack=${onBack} />`;
  const Act = ({ icon, label }) => html`<button class="quiet" aria-label=${label} title=${label} disabled=${gone} onClick=${() => (icon === "customer" ? showCard(!hasCard) : setSheet(icon))}><${Icon} name=${icon} /><span>${label}</span></button>`;
  return html`<section class="pane" aria-label=${`Conversation with ${name}`}>
    <div class="head">
      <${Round} icon="back" label="Back" onClick=${onBack} /><${Avatar} name=${name} picture=${one.avatar} />
      <h1 dir="auto">${name}<small><${Channel} of=${one.channel} /> <bdi>${bare(one.address)}</bdi> ${one.awaiting_since && html`<${Waits} short since=${one.awaiting_since} />`}</small></h1>
      <div class="does">${Act({ icon: "customer", label: "Customer" })}${Act({ icon: "hand", label: "Hand over" })}${Act({ icon: "done", label: "Close" })}</div>
    </div>
    ${failure && html`<p class="why"><span><b class="lost">${failure.message}</b> Messages you write are sent later.</span></p>`}
    ${one.word && html`<p class="word"><b>${one.word.by || "The worker before you"}:</b> <span dir="auto">${one.word.text}</span></p>`}
    ${thread ? html`<${Log} ...${{ sid, me: state.me, thread, outbox, earlier }} onAgain=${!late && sendAgain} onEdit=${write} />`
      : html`<div class="logs">${wrong ? html`<${Wrong}>${wrong}<//>` : html`<${Bones} />`}</div>`}
    <${Composer} ...${{ me: state.me, sid, name, outbox, late, put }} rules=${thread || {}} onTemplates=${() => setSheet("templates")} onSent=${() => live.soon()}
      blocked=${gone ? "You no longer have this conversation: it was closed or handed over. Your draft is kept." : thread?.write} />
    ${hasCard && html`<${Customer} one=${one} me=${state.me} onUnread=${markUnread} onClose=${() => showCard(false)} />`}
    ${sheet === "templates" && html`<${Templates} one=${one} late=${late} onClose=${close} onText=${({ content }) => write(content)} onTemplate=${({ id, content }) => send({ template: id, content })} />`}
    ${sheet === "hand" && html`<${HandOver} one=${one} me=${state.me} pools=${state.pools} onDone=${leave} onClose=${close} />`}
    ${sheet === "done" && html`<${Close} one=${one} onDone=${leave} onClose=${close} />`}
  </section>`;
}
