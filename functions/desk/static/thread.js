// One conversation beside the table, or over it on a phone: its messages, its log, and what a supervisor may do with it.
import { ask, change, now, of } from "./server.js";
import { Bones, Icon, Round, Sheet, Wrong, bare, clock, date, day, html, inWords, useAct, useEffect, useLayoutEffect, useRef, useState } from "./parts.js";

const PICTURE = /^image\/(jpeg|png|gif|webp)$/;
const STATES = { unrouted: "Not routed", queued: "Waiting", assigning: "Being assigned", assigned: "Assigned", inactive: "Inactive", closed: "Closed" };
export const stateName = (state) => STATES[state] || state;

const Acts = ({ busy, wrong, onClose, children }) => html`<${Wrong}>${wrong}<//>
  <p class="acts"><button type="button" class="plain" onClick=${onClose}>Cancel</button><button disabled=${busy}>${children}</button></p>`;
const Radio = ({ value, is, set, children }) => html`<label class="radio"><input type="radio" name="to" checked=${is === value} onChange=${() => set(value)} /><span>${children}</span></label>`;

// `one`: { sid, name, worker } as the page shows it; `team`: the pools and workers of the page Now.
export function HandOver({ one, team, onDone, onClose }) {
  const [to, set] = useState("queue");
  const [word, write] = useState("");
  const [busy, wrong, run] = useAct(async () => {
    const [kind, name] = to.split(/ (.*)/);
    await change(of(one.sid, "hand-over"), { to: kind, [kind]: name, word, seen: one.worker ?? "" });
    onDone(`${one.name} was handed over.`);
  });
  const others = team.workers.filter(({ identity, confirmed }) => confirmed && identity !== one.worker);
  return html`<${Sheet} title="Hand over" onClose=${onClose}><form onSubmit=${run}>
    <fieldset><legend>To the next available worker</legend><${Radio} value="queue" is=${to} set=${set}>Back to the queue<//>
      ${team.pools.map(({ id, name }) => html`<${Radio} key=${id} value=${`pool ${id}`} is=${to} set=${set}>${name}<//>`)}</fieldset>
    <fieldset><legend>To a worker</legend>${others.map(({ identity, name, status, load, capacity }) => html`<${Radio} key=${identity} value=${`worker ${identity}`} is=${to} set=${set}>
      ${name} <small class=${status}>${status}, ${loadOf({ load, capacity })}</small><//>`)}
      ${others.length === 0 && html`<p class="soft">There are no other workers.</p>`}</fieldset>
    <div class="field"><label for="word">A word to the next</label><textarea id="word" rows="2" maxlength="500" value=${word} onInput=${(event) => write(event.currentTarget.value)}></textarea></div>
    <${Acts} busy=${busy} wrong=${wrong} onClose=${onClose}>Hand over<//>
  </form><//>`;
}

export const loadOf = ({ load, capacity }) => (capacity === null ? `${load}, no limit` : `${load} of ${capacity}`);

function Close({ one, onDone, onClose }) {
  const [busy, wrong, run] = useAct(async () => {
    await change(of(one.sid, "close"));
    onDone(`The conversation with ${one.name} is closed.`);
  });
  return html`<${Sheet} title="Close this conversation?" onClose=${onClose}><form onSubmit=${run}>
    <p>${one.name} can write again at any time, which starts a new conversation.</p>
    ${one.waits_since && html`<p class="wrong">${one.name} still waits for an answer.</p>`}
    <${Acts} busy=${busy} wrong=${wrong} onClose=${onClose}>Close conversation<//>
  </form><//>`;
}

function Priority({ one, onDone, onClose }) {
  const [typed, set] = useState(String(one.priority));
  const [busy, wrong, run] = useAct(async () => {
    if (!/^-?\d{1,9}$/.test(typed.trim())) throw new Error("Type a whole number, such as 0 or 10.");
    await change(of(one.sid, "priority"), { priority: Number(typed) });
    onDone(`The priority of ${one.name} is ${Number(typed)}.`);
  });
  return html`<${Sheet} title="Priority" onClose=${onClose}><form onSubmit=${run}>
    <div class="field"><label for="priority">Priority</label><input id="priority" type="text" inputmode="numeric" value=${typed} onInput=${(event) => set(event.currentTarget.value)} />
      <small>A customer with a higher number comes first in the queue. Most have 0.</small></div>
    <${Acts} busy=${busy} wrong=${wrong} onClose=${onClose}>Save<//>
  </form><//>`;
}

const SHEETS = { "Hand over": HandOver, Priority, Close };

function Medium({ sid, file: { sid: id, type, name } }) {
  const [broken, setBroken] = useState(false);
  const link = { href: of(sid, `media/${encodeURIComponent(id)}`), target: "_blank", rel: "noopener noreferrer" };
  return PICTURE.test(type) && !broken ? html`<a class="shown" ...${link}><img src=${link.href} alt=${name || "Picture"} onError=${() => setBroken(true)} /></a>`
    : html`<a class="file" ...${link}><${Icon} name="file" />${name || "File"}</a>`;
}

function Log({ sid, thread: { messages, more }, earlier }) {
  const log = useRef(null);
  const place = useRef({});
  const first = messages[0]?.index;
  useLayoutEffect(() => { // earlier messages keep the place; otherwise the newest is in view
    const { height, first: before } = place.current;
    log.current.scrollTop = first < before ? log.current.scrollTop + log.current.scrollHeight - height : log.current.scrollHeight;
    place.current = { height: log.current.scrollHeight, first };
  }, [first, messages.length]);
  return html`<div class="messages" role="log" aria-label="Messages" tabindex="0" ref=${log}>
    ${more && html`<button class="plain" onClick=${earlier}>Earlier</button>`}
    ${messages.length === 0 && html`<p class="nothing">No messages yet.</p>`}
    ${messages.map((message, at) => html`
      ${(at === 0 || day(messages[at - 1].at) !== day(message.at)) && html`<p class="day">${day(message.at)}</p>`}
      <div key=${message.index} class="message ${message.from}"><small>${message.name} · <time datetime=${message.at}>${clock(message.at)}</time></small>
        ${message.body && html`<p dir="auto">${message.body}</p>`}
        ${message.media.map((file) => html`<${Medium} key=${file.sid} sid=${sid} file=${file} />`)}
        ${message.lost && html`<p class="wrong">Not delivered: ${message.lost}</p>`}</div>`)}
  </div>`;
}

const at = (time) => (time ? `${date(time)}, ${clock(time)}` : "");

const Story = ({ lines, names }) => html`<details class="story"><summary>Log</summary><ol>${[...lines].reverse().map(({ at: when, what, why, by }) =>
  html`<li><time datetime=${when}>${at(when)}</time> <b>${what}</b> ${why}${by ? html` <span class="soft">by ${names[by] || by}</span>` : ""}</li>`)}</ol></details>`;

// `changed`: counts the page's looks at this conversation that found a change.
export function Thread({ sid, team, changed = 0, say, onBack, onDone }) {
  const [record, setRecord] = useState(null);
  const [thread, setThread] = useState(null);
  const [wrong, setWrong] = useState("");
  const [sheet, setSheet] = useState("");
  const [times, setTimes] = useState(0);
  const pane = useRef(null);
  useEffect(() => {
    let current = true;
    const failed = (failure) => current && setWrong(failure.message);
    ask(`conversations/${encodeURIComponent(sid)}`).then((answer) => current && setRecord(answer), failed);
    return () => { current = false; };
  }, [sid, changed, times]);
  useEffect(() => {
    let current = true;
    setThread(null);
    setWrong("");
    ask(of(sid, "messages")).then((answer) => current && setThread(answer), (failure) => current && setWrong(failure.message));
    return () => { current = false; };
  }, [sid]);
  useEffect(() => { pane.current?.focus(); }, [sid]);
  const one = record?.sid === sid ? record : null;
  const earlier = () => ask(of(sid, `messages?before=${thread.messages[0].index}`))
    .then((answer) => setThread({ messages: [...answer.messages, ...thread.messages], more: answer.more }), (failure) => setWrong(failure.message));
  const done = (sentence) => { setSheet(""); say(sentence); setTimes((count) => count + 1); onDone?.(); };
  const Act = SHEETS[sheet];
  const names = Object.fromEntries(team.workers.map(({ identity, name }) => [identity, name]));
  const over = one?.state === "closed";
  return html`<section class="panel thread" aria-label=${one ? `Conversation with ${one.name}` : "Conversation"} tabindex="-1" ref=${pane} onKeyDown=${(event) => event.key === "Escape" && !sheet && onBack()}>
    <header><${Round} icon="back" label="Back" onClick=${onBack} />
      <div><h2>${one ? one.name : "..."}</h2><p class="soft">${one && html`${bare(one.address)} · ${stateName(one.state)}${one.worker_name ? ` with ${one.worker_name}` : ""}${one.pool ? ` · ${one.pool}` : ""}`}</p></div></header>
    ${one?.waits_since && !over && html`<p class="soft">Waits for an answer: ${inWords(now() - Date.parse(one.waits_since))}</p>`}
    <p class="toolbar">${Object.keys(SHEETS).map((name) => html`<button key=${name} class="plain" disabled=${!one || over} onClick=${() => setSheet(name)}>${name}</button>`)}
      <a class="button plain" href=${of(sid, "transcript")} download>Transcript</a></p>
    <${Wrong}>${wrong}<//>
    ${thread ? html`<${Log} sid=${sid} thread=${thread} earlier=${earlier} />` : !wrong && html`<${Bones} />`}
    ${one && html`<${Story} lines=${one.log} names=${names} />`}
    ${Act && html`<${Act} one=${one} team=${team} onDone=${done} onClose=${() => setSheet("")} />`}
  </section>`;
}
