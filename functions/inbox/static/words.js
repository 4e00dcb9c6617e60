// Words for times, names and sizes.
const two = { hour: "2-digit", minute: "2-digit", hour12: false };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const format = (options) => {
  const made = new Intl.DateTimeFormat("en-GB", options);
  return (at) => made.format(new Date(at));
};
export const clock = format(two);
const weekday = format({ weekday: "short" });
const date = format({ day: "numeric", month: "short" });
const longDate = format({ weekday: "long", day: "numeric", month: "long" });
export const dateAndTime = format({ day: "numeric", month: "short", year: "numeric", ...two });

const midnight = (at) => new Date(at).setHours(0, 0, 0, 0);
const daysAgo = (at, now) => Math.round((midnight(now) - midnight(at)) / DAY);

// The line above a day's messages.
export function day(at, now) {
  const ago = daysAgo(at, now);
  return ago === 0 ? "Today" : ago === 1 ? "Yesterday" : longDate(at);
}

// How old the last text is, in the list: short, for it stands in a corner.
export function age(at, now) {
  const passed = now - Date.parse(at);
  if (passed < MINUTE) return "now";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min`;
  const ago = daysAgo(at, now);
  return ago === 0 ? clock(at) : ago < 7 ? weekday(at) : date(at);
}

// How long somebody waits: "under a minute", "4 min", "1 h 5 min".
export function waited(since, now) {
  const passed = Math.max(0, now - Date.parse(since));
  if (passed < MINUTE) return "under 1 min";
  if (passed < HOUR) return `${Math.floor(passed / MINUTE)} min`;
  if (passed < DAY) return `${Math.floor(passed / HOUR)} h ${Math.floor((passed % HOUR) / MINUTE)} min`;
  return `${Math.floor(passed / DAY)} d ${Math.floor((passed % DAY) / HOUR)} h`;
}

// Colour follows the wait: calm, then soon, then late.
export function urgency(since, now) {
  const passed = now - Date.parse(since);
  return passed > 5 * MINUTE ? "late" : passed > 2 * MINUTE ? "soon" : "calm";
}

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString("en")} ${number === 1 ? one : many}`;

export function size(bytes) {
  if (!bytes) return "";
  return bytes < 1_000_000 ? `${Math.max(1, Math.round(bytes / 1000))} KB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

export function initials(name) {
  const words = String(name).replace(/[^\p{L}\p{N} ]/gu, "").trim().split(/\s+/);
  const found = /^\d/.test(words[0]) ? words.join("").slice(-2) : [...words.map((word) => [...word][0] || "")].slice(0, 2).join("");
  return found.toUpperCase() || "?";
}

const CHANNELS = { sms: "SMS", mms: "MMS", whatsapp: "WhatsApp", email: "E-mail", chat: "Chat" };
export const channelName = (channel) => CHANNELS[channel] || channel || "";
export const bare = (address) => String(address || "").replace(/^[a-z]+:/, "");

// "you", who took over at 10:02: what a message's author is called.
export const fromName = (message, me) =>
  message.from === "service" ? "Automatic" : message.author === me ? "You" : message.name || message.author;
