// The words that are not sent yet, which stay on this device.
import { useEffect, useRef, useState } from "./preact.js";
import { clearFiles, kept } from "./device.js";

const drafts = (me) => `inbox ${me.identity} draft `;
export const clearDraft = (me, about) => kept.set(drafts(me) + about);
export const clearDrafts = (me) => { kept.clear(drafts(me)); return clearFiles(me); };

export const hasDraft = (me, about) => Boolean(kept.get(drafts(me) + about)?.trim());

// Returns the drafts of conversations as [SID, text].
export function conversationDrafts(me) {
  const start = drafts(me);
  return kept.keys(`${start}CH`).map((key) => [key.slice(start.length), kept.get(key)]).filter(([, text]) => text?.trim());
}

// A draft follows its changes in other windows, except for words that are being typed here.
export function useDraft(me, about, box) {
  const key = drafts(me) + about;
  const [text, setText] = useState(() => kept.get(key) || "");
  const my = useRef({}).current;
  my.text = text;
  useEffect(() => {
    const hear = ({ key: changed, oldValue, newValue }) => {
      if (changed !== key) return;
      const [before, after] = [oldValue, newValue].map((value) => (value ? JSON.parse(value) : ""));
      const isTyped = my.isTyped && document.hasFocus() && document.activeElement === box?.current;
      if (isTyped && my.text !== before) return;
      my.isTyped = false;
      setText(after);
    };
    addEventListener("storage", hear);
    return () => removeEventListener("storage", hear);
  }, [key]);
  return [text, (next) => { my.isTyped = true; setText(next); kept.set(key, next); }];
}
