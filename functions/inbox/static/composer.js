// Where one writes: the text is kept at each stroke, so that nothing typed is lost.
import { Icon, html, useEffect, useLayoutEffect, useRef, useState } from "./parts.js";
import { kept } from "./outbox.js";
import { count, size } from "./words.js";

const NEAR = 200; // characters before the end, from which on they are counted
const MEDIA = { types: ["image/jpeg", "image/png", "image/gif"], size: 5_000_000 }; // where the server names none
const LARGEST_EDGE = 2048;

export const lengthOf = (text) => [...text].length;

// A photo that is too large is made smaller; what is no picture, or stays too large, is refused in a sentence.
export async function fitted(file, { types, size: most }) {
  if (!types.includes(file.type)) {
    const names = types.map((type) => type.split("/")[1].toUpperCase().replace("JPEG", "JPG"));
    throw new Error(`${file.name} cannot be sent: ${names.join(", ")} can.`);
  }
  if (file.size <= most) return file;
  const smaller = file.type === "image/gif" ? null : await shrunk(file).catch(() => null);
  if (smaller && smaller.size <= most) return smaller;
  throw new Error(`${file.name} is too large: ${size(file.size)}, and ${size(most)} can be sent.`);
}

async function shrunk(file) {
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LARGEST_EDGE / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width * scale, picture.height * scale];
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  return new File([blob], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" });
}

export function useDraft(owner, sid) {
  const key = `inbox ${owner} draft ${sid}`;
  const [text, setText] = useState(() => kept.get(key) || "");
  const write = (next) => {
    setText(next);
    if (next) kept.set(key, next);
    else kept.remove(key);
  };
  return [text, write];
}

// The chosen picture's address, for as long as it is shown.
export function useAddress(blob) {
  const [address, setAddress] = useState("");
  useEffect(() => {
    if (!blob) return undefined;
    const made = URL.createObjectURL(blob);
    setAddress(made);
    return () => URL.revokeObjectURL(made);
  }, [blob]);
  return blob ? address : "";
}

function Chosen({ file, onRemove }) {
  const address = useAddress(file);
  return html`<div class="chosen">${address && html`<img src=${address} alt=${`Preview of ${file.name}`} />`}
    <span>${file.name}<small>${size(file.size)}</small></span>
    <button class="quiet round" aria-label="Remove the picture" onClick=${onRemove}><${Icon} name="away" /></button></div>`;
}

export function Composer({ owner, one, limit, media, blocked, templatesOnly, outbox, returned, onTemplates, onSent }) {
  const [text, write] = useDraft(owner, one.sid);
  const [picture, setPicture] = useState(null);
  const [wrong, setWrong] = useState("");
  const box = useRef(null);
  const chooser = useRef(null);
  const takes = media === undefined ? MEDIA : media;
  const tooMany = lengthOf(text) - limit;
  const off = Boolean(blocked) || templatesOnly;

  useLayoutEffect(() => { // as high as its text, where the style sheet cannot say so
    if (CSS.supports("field-sizing", "content")) return;
    box.current.style.height = "auto";
    box.current.style.height = `${box.current.scrollHeight}px`;
  }, [text]);
  useEffect(() => { // what comes back from a template or from a message that was refused
    if (!returned) return;
    const { selectionStart: start, selectionEnd: end } = box.current;
    write(text.slice(0, start) + returned.text + text.slice(end));
    box.current.focus();
  }, [returned]);

  const choose = async (file) => {
    setWrong("");
    try {
      if (file) setPicture(await fitted(file, takes));
    } catch (failure) {
      setWrong(failure.message);
    }
    chooser.current.value = "";
  };
  const send = (event) => {
    event?.preventDefault();
    if (off || tooMany > 0) return;
    if (picture) outbox.add(one.sid, { picture: { name: picture.name, type: picture.type, size: picture.size } }, picture);
    if (text.trim()) outbox.add(one.sid, { text: text.trim() });
    if (!picture && !text.trim()) return;
    setPicture(null);
    write("");
    setWrong("");
    box.current.focus();
    onSent();
  };
  const keys = (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) send(event); };
  const paste = (event) => {
    const file = [...(event.clipboardData?.files || [])][0];
    if (file && takes) { event.preventDefault(); choose(file); }
  };
  return html`<form class="composer" onSubmit=${send}>
    ${blocked && html`<p class="notice">${blocked}${text && " What you wrote is kept below."}</p>`}
    ${!blocked && templatesOnly && html`<p class="notice">More than 24 hours have passed since the customer wrote: WhatsApp takes only approved templates now.</p>`}
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
    ${picture && html`<${Chosen} file=${picture} onRemove=${() => setPicture(null)} />`}
    <div class="writing">
      ${takes && html`<label class="quiet round attach ${off ? "off" : ""}" title="Send a picture"><${Icon} name="picture" /><input ref=${chooser} class="hidden" type="file" aria-label="Send a picture" accept=${takes.types.join(",")} disabled=${off} onChange=${(event) => choose(event.currentTarget.files[0])} /></label>`}
      <button type="button" class="quiet round" aria-label="Templates" title="Templates" disabled=${Boolean(blocked)} onClick=${onTemplates}><${Icon} name="templates" /></button>
      <textarea ref=${box} aria-label="Message" aria-describedby="counted" rows="1" placeholder=${templatesOnly ? "Choose a template" : "Write a message"} value=${text} readonly=${off}
        onInput=${(event) => write(event.currentTarget.value)} onKeyDown=${keys} onPaste=${paste}></textarea>
      <button class="round" aria-label="Send" title="Send (Ctrl + Enter)" disabled=${off || tooMany > 0 || (!text.trim() && !picture)}><${Icon} name="send" /></button>
    </div>
    <p id="counted" class="counted ${tooMany > 0 ? "over" : ""}" role="status">${tooMany > 0
      ? `${count(tooMany, "character")} too many: ${limit.toLocaleString("en")} can be sent at once.`
      : tooMany > -NEAR ? `${count(-tooMany, "character")} left` : ""}</p>
  </form>`;
}
