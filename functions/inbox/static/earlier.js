// The customer's earlier conversations, above the messages of this one. `isFirst`: all of its messages are shown.
import { ask, of } from "./server.js";
import { Channel, Wrong, day, html, useEffect, useLayoutEffect, useRef, useState } from "./parts.js";

const NEAR_TOP = 60; // pixels
const pasts = new Map(); // by conversation, while the page is open

const fresh = () => ({ sections: [], listed: [], next: "", isFirst: false });
const linesOf = (messages) => [...new Map(messages.map((message) => [message.index, message])).values()].sort((first, second) => first.index - second.index);

// Reads the list ten at a time; entries that the worker may not read are left out, so an answer may be empty.
async function nextConversation(sid, past) {
  while (past.listed.length === 0 && past.next !== null) {
    const { conversations, next } = await ask(of(sid, `earlier${past.next && `?before=${encodeURIComponent(past.next)}`}`));
    Object.assign(past, { listed: conversations, next });
  }
  return past.listed[0];
}

// Adds older messages of the topmost conversation, or the conversation before it.
async function stepped(sid, before) {
  const past = { ...before };
  const [top, ...rest] = past.sections;
  if (top?.more) {
    const older = await ask(of(top.sid, `messages?before=${top.messages[0].index}`));
    const messages = linesOf([...older.messages, ...top.messages]);
    return { ...past, sections: [{ ...top, messages, more: older.more }, ...rest] };
  }
  const conversation = await nextConversation(sid, past);
  if (!conversation) return { ...past, isFirst: true };
  const { messages, more } = await ask(of(conversation.sid, "messages")).catch((failure) => {
    if (failure.again) throw failure;
    return { messages: [], more: false }; // Twilio no longer has them
  });
  return { ...past, listed: past.listed.slice(1), sections: [{ ...conversation, messages: linesOf(messages), more }, ...past.sections] };
}

function usePast(sid, isReady) {
  const [past, setPast] = useState(pasts.get(sid) || fresh());
  const [wrong, setWrong] = useState("");
  const my = useRef({}).current;
  const step = async () => {
    if (my.busy || past.isFirst || !isReady) return;
    my.busy = true;
    setWrong("");
    await stepped(sid, past).then((next) => { pasts.set(sid, next); setPast(next); }, (failure) => setWrong(failure.message));
    my.busy = false;
  };
  return [past, wrong, step];
}

// Scrolling up at the top asks for more.
function useScrolledUp(mark, step) {
  const latest = useRef(step);
  latest.current = step;
  useEffect(() => {
    const log = mark.current.closest(".log");
    let last = log.scrollTop;
    const scrolled = () => {
      if (log.scrollTop < last && log.scrollTop < NEAR_TOP) latest.current();
      last = log.scrollTop;
    };
    const turned = ({ deltaY }) => { if (deltaY < 0 && log.scrollTop === 0) latest.current(); };
    log.addEventListener("scroll", scrolled, { passive: true });
    log.addEventListener("wheel", turned, { passive: true });
    return () => { log.removeEventListener("scroll", scrolled); log.removeEventListener("wheel", turned); };
  }, []);
}

// Keeps the messages on the screen in their place while others are added above.
function useSteadyPlace(mark, sections) {
  const seen = useRef({ height: 0, sections });
  useLayoutEffect(() => {
    const log = mark.current.closest(".log");
    if (seen.current.sections !== sections) log.scrollTop += mark.current.offsetHeight - seen.current.height;
    seen.current = { height: mark.current.offsetHeight, sections };
  });
}

export function Earlier({ sid, me, isFirst, Message }) {
  const mark = useRef(null);
  const [past, wrong, step] = usePast(sid, isFirst);
  useScrolledUp(mark, step);
  useSteadyPlace(mark, past.sections);
  return html`<div class="past" aria-live="off" ref=${mark}>
    ${!isFirst ? null : past.isFirst ? html`<p class="middle soft">${past.sections.length ? "The first conversation." : "No earlier conversations."}</p>`
      : html`<button class="plain middle" onClick=${step}>Earlier</button>`}
    <${Wrong}>${wrong}<//>
    ${past.sections.map((section, at) => html`<section key=${section.sid} aria-label=${`Conversation of ${day(section.at)}`}>
      <p class="middle day">${day(section.at)}${section.with && html`, with <bdi>${section.with}</bdi>`} <${Channel} of=${section.channel} /></p>
      ${section.messages.length === 0 && html`<p class="middle soft">Twilio no longer has its messages.</p>`}
      ${section.messages.map((message, index, all) => {
        const isNewDay = index > 0 && day(all[index - 1].at) !== day(message.at);
        return [isNewDay && html`<p key=${`day ${message.index}`} class="middle day">${day(message.at)}</p>`,
          html`<${Message} key=${message.index} sid=${section.sid} message=${message} me=${me} before=${isNewDay ? null : all[index - 1]} next=${all[index + 1]} />`];
      })}
      ${at === past.sections.length - 1 && html`<p class="middle day">This conversation</p>`}
    </section>`)}
  </div>`;
}
