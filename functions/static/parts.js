// Formats and small components that the screens share.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./preact.js";
import { ago, now } from "./server.js";

export { html, useEffect, useLayoutEffect, useRef, useState };

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const format = (options) => (at) => new Intl.DateTimeFormat("en-GB", options).format(new Date(at));
export const clock = format({ hour: "2-digit", minute: "2-digit" });
const isThisYear = (at) => new Date(at).getFullYear() === new Date(now()).getFullYear();
const dated = (options) => { // with the year unless it is this one
  const [short, long] = [format(options), format({ ...options, year: "numeric" })];
  return (at) => (isThisYear(at) ? short : long)(at);
};
export const date = dated({ day: "numeric", month: "short" });
const longDate = dated({ weekday: "long", day: "numeric", month: "long" });
const daysAgo = (at) => Math.round((new Date(now()).setHours(0, 0, 0, 0) - new Date(at).setHours(0, 0, 0, 0)) / (24 * HOUR));

export const day = (at) => ["Today", "Yesterday"][daysAgo(at)] || longDate(at);

export function age(at) {
  if (ago(at) < HOUR) return ago(at) < MINUTE ? "now" : `${Math.floor(ago(at) / MINUTE)} min`;
  return daysAgo(at) ? date(at) : clock(at);
}

// Formats a duration in milliseconds.
export function inWords(span) {
  const minutes = Math.max(0, Math.floor(span / MINUTE));
  return minutes < 1 ? "under 1 min" : minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

// `short`: the word is for readers of the screen only.
export function Waits({ since, short }) {
  const minutes = ago(since) / MINUTE;
  return html`<span class="wait ${minutes < 2 ? "" : minutes < 5 ? "soon" : "late"}"><span class=${short && "hidden"}>Waiting </span>${inWords(ago(since))}</span>`;
}

export const count = (number, one) => `${number.toLocaleString("en")} ${one}${number === 1 ? "" : "s"}`;
export const size = (bytes) => (bytes < 1e6 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`);

export const bare = (address) => String(address || "").replace(/^[a-z]+:/, "");
export const nameOf = ({ name, address }) => name || bare(address) || "Unknown customer";
export const channelOf = (address) => (/^[a-z]+:/.exec(address)?.[0].slice(0, -1)) || (address.includes("@") ? "email" : "sms");
export const Channel = ({ of: channel }) => html`<span class="tag">${{ sms: "SMS", whatsapp: "WhatsApp", email: "E-mail" }[channel] || channel}</span>`;

const ICONS = {
  back: "M15 5l-7 7 7 7",
  customer: "M12 12a4 4 0 100-8 4 4 0 000 8zM4 20c2-7 14-7 16 0",
  hand: "M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4",
  done: "M5 12l5 5L19 7",
  templates: "M5 5h14v10H9l-4 4zM9 8h7M9 12h4",
  picture: "M4 5h16v14H4zM4 16l5-4 4 3 3-2 4 4",
  send: "M4 12l16-8-5 16-4-7zM11 13l9-9",
  more: "M5 12h0M12 12h0M19 12h0",
  write: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  file: "M7 4h7l4 4v12H7zM14 4v4h4",
  away: "M6 6l12 12M18 6L6 18",
};

export const Icon = ({ name }) => html`<svg class="icon ${name}" viewBox="0 0 24 24" aria-hidden="true"><path d=${ICONS[name]} /></svg>`;

export const Round = ({ icon, label, kind = "quiet", ...more }) =>
  html`<button type="button" class="${kind} round" aria-label=${label} title=${label} ...${more}><${Icon} name=${icon} /></button>`;

export const Switch = ({ on, label, children, ...more }) =>
  html`<button type="button" class="switch" role="switch" aria-checked=${on} aria-label=${label} ...${more}>${children}<i class="knob"></i></button>`;

// Shows a picture, or initials.
export function Avatar({ name = "", picture }) {
  const [broken, setBroken] = useState(false);
  const words = name.replace(/[^\p{L}\p{N} ]/gu, "").trim().split(/\s+/);
  const letters = /^\d/.test(words[0]) ? words.join("").slice(-2) : words.slice(0, 2).map((word) => [...word][0]).join("");
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return html`<span class="avatar hue${sum % 6}" aria-hidden="true">${/^https:/.test(picture) && !broken
    ? html`<img src=${picture} alt="" referrerpolicy="no-referrer" onError=${() => setBroken(true)} />` : letters.toUpperCase() || "?"}</span>`;
}

// A modal dialog: the browser keeps the focus in it, restores it, and closes it on Escape.
export function Sheet({ title, kind = "", onClose, children }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    if (kind === "drawer" && matchMedia("(min-width: 1180px)").matches) {
      element.classList.add("beside"); // beside the conversation, which stays usable
      element.show();
    } else element.showModal();
    return () => { if (!element.matches(".beside")) element.close(); };
  }, []);
  return html`<dialog ref=${dialog} class="sheet ${kind}" aria-label=${title} onClose=${onClose} onMouseDown=${(event) => event.target === dialog.current && !event.target.matches(".beside") && onClose()}
    onKeyDown=${(event) => { if (event.key === "Escape" && dialog.current.matches(".beside")) { event.stopPropagation(); onClose(); } }}>
    <div class="sheettop"><h2>${title}</h2><${Round} icon="away" label="Dismiss" onClick=${onClose} /></div>
    <div class="sheetbody">${children}</div>
  </dialog>`;
}

export const Wrong = ({ children }) => children && html`<p class="wrong" role="alert">${children}</p>`;
export const Bones = () => html`<div class="bones"><i></i><i></i><i></i></div>`;

// Returns [answer, what to show until it is there: a placeholder or an error].
export function useAsked(load, about) {
  const [[answer, wrong], setAnswer] = useState([]);
  useEffect(() => {
    let mounted = true;
    const set = (...values) => mounted && setAnswer(values);
    const timer = setTimeout(() => load().then(set, (failure) => set(null, failure.message)), about ? 250 : 0);
    return () => { mounted = false; clearTimeout(timer); };
  }, [about]);
  return [answer, wrong ? html`<${Wrong}>${wrong}<//>` : !answer && html`<${Bones} />`];
}

// Returns [whether it is running, the error, run].
export function useAct(act) {
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  const run = async (event, ...more) => {
    event?.preventDefault();
    if (busy) return;
    setBusy(true);
    setWrong("");
    await act(...more).catch((failure) => setWrong(failure.message));
    setBusy(false);
  };
  return [busy, wrong, run];
}
