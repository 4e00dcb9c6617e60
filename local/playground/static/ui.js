// What all parts of the page use: asking the server, words for times, small components.
import { html, useEffect, useRef, useState } from "./preact.js";

export { html, useState };

export async function post(action, given) {
  let answer;
  try {
    answer = await fetch(`/playground/${action}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(given),
    });
  } catch {
    throw new Error("The local run does not answer. Is ./run.sh still running?");
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(told.error || `The server answered ${answer.status}.`);
  return told;
}

export function inWords(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function clock(seconds) {
  return seconds ? new Date(seconds * 1000).toLocaleTimeString([], { hour12: false }) : "";
}

export function nameOf(state, address) {
  const bare = String(address).split(":").pop();
  const known = state.customers.find((one) => one.addresses.includes(address) || one.addresses.includes(bare));
  return known && known.name !== bare && known.name !== address ? known.name : bare;
}

export function poolName(state, id) {
  return state.pools.find((pool) => pool.id === id)?.display_name || id || "";
}

export function workerName(state, identity) {
  return state.workers.find((worker) => worker.identity === identity)?.name || identity;
}

export function initials(name) {
  const letters = String(name).replace(/[^\p{L}\p{N} ]/gu, "").trim().split(/\s+/);
  const found = /^\d/.test(letters[0] || "") ? letters.join("").slice(-2) : letters.map((word) => word[0] || "").slice(0, 2).join("");
  return found.toUpperCase() || "?";
}

const HUES = 6;
export function hue(text) {
  let sum = 0;
  for (const letter of String(text)) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return `hue${sum % HUES}`;
}

export function Avatar({ name }) {
  return html`<span class="avatar ${hue(name)}" aria-hidden="true">${initials(name)}</span>`;
}

// A line to write in; Enter sends.
export function Writer({ label, placeholder, onSend }) {
  const [text, setText] = useState("");
  const send = (event) => {
    event.preventDefault();
    if (!text.trim()) return;
    onSend(text.trim());
    setText("");
  };
  return html`<form class="writer" onSubmit=${send}>
    <input aria-label=${label} placeholder=${placeholder} value=${text} maxlength="1600" autocomplete="off"
      onInput=${(event) => setText(event.currentTarget.value)} />
    <button disabled=${!text.trim()}>Send</button>
  </form>`;
}

export function Bubbles({ messages, mine, label }) {
  const list = useRef(null);
  useEffect(() => {
    list.current.scrollTop = list.current.scrollHeight;
  }, [messages.length]);
  return html`<ol class="bubbles" tabindex="0" aria-label=${label} ref=${list}>
    ${messages.map((one, index) => html`<li key=${one.key || index} class=${one.note ? "said" : mine(one) ? "mine" : "theirs"}>
      ${one.note || html`<span class="hidden">${mine(one) ? "sent: " : "received: "}</span>${one.body}`}</li>`)}
  </ol>`;
}
