// Small components that the screens share.
import { html, useEffect, useLayoutEffect, useRef, useState } from "./preact.js";
import { initials } from "./words.js";

export { html, useEffect, useLayoutEffect, useRef, useState };

const ICONS = {
  back: "M15 5l-7 7 7 7",
  customer: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.500 20c.8-3.600 3.800-5.500 7.500-5.500s6.700 1.900 7.500 5.500",
  hand: "M4 8h13M13.500 4.500 17 8l-3.500 3.500M20 16H7M10.500 12.500 7 16l3.500 3.500",
  done: "M5 12.500l4.500 4.500L19 7.500",
  templates: "M5 5h14v10H9l-4 4zM8.500 8.500h7M8.500 11.500h4",
  picture: "M4 5.500h16v13H4zM4 15.500l4.500-4 4 3.500 3-2.500 4.500 4M15.500 9.500h.01",
  send: "M4 12 20 4.500 15.500 20l-4-6.500zM11.500 13.500 20 4.500",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  write: "M4 20l1-4.500L16 4.500l3.500 3.500L8.500 19zM13.500 7l3.500 3.500",
  down: "M12 5v13M6.500 12.500 12 18l5.500-5.500",
  file: "M7 3.500h7l4 4v13H7zM14 3.500v4h4",
  away: "M6 6l12 12M18 6 6 18",
};

export function Icon({ name }) {
  return html`<svg class=${`icon ${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${ICONS[name]} /></svg>`;
}

// A round picture; initials where there is none or it does not come.
export function Avatar({ name, picture }) {
  const [broken, setBroken] = useState(false);
  const shown = picture && !broken && /^https:/.test(picture);
  let sum = 0;
  for (const letter of String(name)) sum = (sum * 31 + letter.codePointAt(0)) % 997;
  return html`<span class="avatar hue${sum % 6}" aria-hidden="true">${shown
    ? html`<img src=${picture} alt="" referrerpolicy="no-referrer" loading="lazy" onError=${() => setBroken(true)} />`
    : initials(name)}</span>`;
}

// What opens over the page: the browser keeps the focus in it, gives it back, and closes it on Escape.
export function Sheet({ title, kind = "", onClose, children }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    const here = dialog.current;
    if (!here.open) here.showModal();
    return () => here.close();
  }, []);
  const outside = (event) => { if (event.target === dialog.current) onClose(); };
  return html`<dialog ref=${dialog} class="sheet ${kind}" aria-labelledby="sheet-title" onClose=${onClose} onMouseDown=${outside}>
    <div class="sheettop"><h2 id="sheet-title">${title}</h2>
      <button class="quiet round" aria-label="Dismiss" onClick=${onClose}><${Icon} name="away" /></button></div>
    <div class="sheetbody">${children}</div>
  </dialog>`;
}

// What is asked for once when a sheet opens: [what came, the sentence when it did not].
export function useAsked(asked, again = []) {
  const [told, setTold] = useState([null, ""]);
  useEffect(() => {
    let here = true;
    asked().then((came) => here && setTold([came, ""]), (failure) => here && setTold([null, failure.message]));
    return () => { here = false; };
  }, again);
  return told;
}

// An act with its button: busy while it runs, the sentence when it fails.
export function useAct(act) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const run = async (...given) => {
    if (busy) return;
    setBusy(true);
    setError("");
    try {
      await act(...given);
    } catch (failure) {
      setError(failure.message);
    }
    setBusy(false);
  };
  return { busy, error, run };
}

export const Wrong = ({ children }) => html`<p class="wrong" role="alert">${children}</p>`;
export const Bones = () => html`<div class="bones" aria-hidden="true"><i></i><i></i><i></i></div>`;
