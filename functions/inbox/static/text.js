// What a message contains: text with links to tap, and files that are shown or played in place.
import { of } from "./server.js";
import { Icon, html, size, useState } from "./parts.js";

const LINK = /(?:https?:\/\/|www\.)[^\s<>"]+|[\w.+-]+@[\w-]+(?:\.[\w-]+)+|(?:\+|\b0)\d[\d ()/-]{6,17}\d/giu;
const AFTER_LINK = /[.,;:!?'"\u201d\u2019]+$/; // belongs to the sentence
const PICTURE = /^image\/(jpe?g|png|gif|webp)$/;
const KINDS = [[/^image\//, "Picture"], [/^audio\//, "Voice note"], [/^video\//, "Video"], [/pdf/, "PDF"], [/vcard|text\/directory/, "Contact"], [/word|opendocument.text/, "Document"], [/sheet|excel|csv/, "Table"], [/^text\//, "Text"]];
const AWAY = { target: "_blank", rel: "noopener noreferrer" };

const kindOf = (type = "") => KINDS.find(([pattern]) => pattern.test(type))?.[1] || "File";

function addressOf(text) {
  if (/^(https?:)/i.test(text)) return text;
  if (/^www\./i.test(text)) return `https://${text}`;
  return text.includes("@") ? `mailto:${text}` : `tel:${text.replace(/\(0\)|[^\d+]/g, "")}`;
}

// Leaves a closing parenthesis in the link only if the link has the opening one.
function trimmed(link) {
  const text = link.replace(AFTER_LINK, "");
  return text.endsWith(")") && !text.includes("(") ? trimmed(text.slice(0, -1)) : text;
}

export function Rich({ text }) {
  const parts = [];
  let end = 0;
  for (const { 0: match, index } of text.matchAll(LINK)) {
    const link = trimmed(match);
    parts.push(text.slice(end, index), html`<a href=${addressOf(link)} ...${AWAY}>${link}</a>`);
    end = index + link.length;
  }
  return html`${parts}${text.slice(end)}`;
}

// Older phones can't play every format; then the file stays a link.
const canPlay = (tag, type) => type && document.createElement(tag).canPlayType(type);

export function Medium({ sid, medium: { sid: id, type, name, size: bytes } }) {
  const [broken, setBroken] = useState(false);
  const href = of(sid, `media/${encodeURIComponent(id)}`);
  const onError = () => setBroken(true);
  const label = name || kindOf(type);
  const tag = /^(audio|video)\//.exec(type)?.[1];
  if (PICTURE.test(type) && !broken) return html`<a class="shown" href=${href} ...${AWAY}><img src=${href} alt=${name || "Picture"} onError=${onError} /></a>`;
  if (tag && !broken && canPlay(tag, type)) return html`<${tag} class="played" src=${href} controls preload="none" aria-label=${label} onError=${onError}><//>`;
  return html`<a class="file" href=${href} ...${AWAY}><${Icon} name="file" /><span>${label}<small>${kindOf(type)}${bytes ? `, ${size(bytes)}` : ""}</small></span></a>`;
}
