// Forms that save one record: only what was changed, compared with the version that was read.
import { ask, change } from "./server.js";
import { html, useEffect, useRef, useState } from "./parts.js";

// The order of a map's names has no meaning, and differs from one reading to the next.
const isMap = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const sorted = (key, value) => (isMap(value) ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1))) : value);
const canonical = (value) => JSON.stringify(value, sorted);
const same = (one, other) => canonical(one ?? null) === canonical(other ?? null);

// The forms with changes that are not saved, by a key of their own: their titles.
const unsaved = new Map();
export const mayLeave = () => {
  const titles = [...new Set(unsaved.values())].join(", ");
  if (titles && !confirm(`Your changes to ${titles} are not saved. Leave without saving?`)) return false;
  unsaved.clear();
  return true;
};

// Loads `path` (records/KIND/NAME): [{ record, version, problem, changes }, failure, reload].
export function useRecord(path) {
  const [loaded, setLoaded] = useState(null);
  const [failure, setFailure] = useState("");
  const [times, setTimes] = useState(0);
  useEffect(() => {
    let current = true;
    setFailure("");
    ask(path).then((answer) => current && setLoaded({ path, ...answer }), (error) => current && setFailure(error.message));
    return () => { current = false; };
  }, [path, times]);
  return [loaded?.path === path ? loaded : null, failure, () => setTimes((count) => count + 1)];
}

// Where only fields that the service maintains have changed since `known` was read, the change is written all the same.
async function write(path, known, body) {
  try {
    return await change(path, body);
  } catch (failure) {
    const { record, version, editable } = failure.details || {};
    const isTheirs = (name) => !same(record[name], known[name]);
    if (failure.status !== 409 || !version || !body.version || !editable || editable.some(isTheirs)) throw failure;
    return change(path, { ...body, version });
  }
}

const words = (names) => { const text = names.join(", ").replaceAll("_", " "); return text[0].toUpperCase() + text.slice(1); };

// The state of one form. `loaded` is what useRecord gave; `title` names the record in sentences; `say` shows what was saved.
// A field set to undefined is removed, as is one set to null, except for those in `nulls`, where null is a value.
export function useForm({ path, loaded, title, say, onSaved, nulls = [] }) {
  const [base, setBase] = useState(loaded);
  const [values, setValues] = useState({});
  const [errors, setErrors] = useState({});
  const [conflict, setConflict] = useState(null);
  const [busy, setBusy] = useState(false);
  const current = useRef(null);
  useEffect(() => { setBase(loaded); setValues({}); setErrors({}); setConflict(null); }, [loaded]);

  const isAsBefore = (name) => (nulls.includes(name) ? canonical(values[name]) === canonical(base?.record[name]) : same(values[name], base?.record[name]));
  const changed = Object.keys(values).filter((name) => !isAsBefore(name));
  const get = (name) => (name in values ? values[name] : base?.record[name]);
  const set = (name, value) => {
    setValues((before) => ({ ...before, [name]: value }));
    setErrors(({ [name]: removed, ...others }) => others);
  };

  const saved = (answer) => {
    setBase((before) => ({ ...before, ...answer }));
    setValues({});
    setErrors({});
    setConflict(null);
    onSaved?.(answer);
  };

  const save = async (event, from = base) => {
    event?.preventDefault();
    if (busy || changed.length === 0) return;
    setBusy(true);
    const { record: before, version } = from;
    const pick = (names, source) => Object.fromEntries(names.map((name) => [name, source[name]]));
    const had = changed.filter((name) => name in before);
    const added = changed.filter((name) => !(name in before));
    const given = changed.filter((name) => values[name] !== undefined);
    const emptied = changed.filter((name) => values[name] === undefined);
    try {
      const answer = await write(path, before, { version, fields: pick(given, values), removed: emptied });
      saved(answer);
      const undo = async () => saved(await write(path, answer.record, { version: answer.version, fields: pick(had, before), removed: added }));
      say?.(`${words(changed)} of ${title} saved.`, version ? { undo } : {});
    } catch (failure) {
      const { field, record, version: newest } = failure.details || {};
      if (failure.status === 409 && newest) setConflict({ ...failure.details, sentence: failure.message, record, version: newest });
      else setErrors({ [field || ""]: failure.message });
    }
    setBusy(false);
  };

  // What the other person wrote stays; this form's own changes are saved on top of it.
  const keepBoth = () => { const theirs = { ...base, ...conflict }; setBase(theirs); setConflict(null); save(null, theirs); };
  const takeTheirs = () => { setBase({ ...base, ...conflict }); setValues({}); setConflict(null); };
  const discard = () => { setValues({}); setErrors({}); };

  current.current = changed.length > 0;
  const key = useRef(Symbol(path)).current;
  if (current.current) unsaved.set(key, title);
  else unsaved.delete(key);
  useEffect(() => () => unsaved.delete(key), []);
  useEffect(() => {
    const warn = (event) => { if (current.current) event.preventDefault(); };
    addEventListener("beforeunload", warn);
    return () => removeEventListener("beforeunload", warn);
  }, []);

  return { get, set, save, discard, errors, changed, busy, conflict, keepBoth, takeTheirs, title };
}

// The buttons of a form, what went wrong with the whole of it, and a conflict with another person's change.
export function Saving({ form, label = "Save" }) {
  const { conflict } = form;
  return html`<div class="saving">
    ${form.errors[""] && html`<p class="wrong" role="alert">${form.errors[""]}</p>`}
    ${conflict && html`<div class="conflict" role="alert"><p>${conflict.sentence}</p>
      <button type="button" onClick=${form.keepBoth}>Keep both</button>
      <button type="button" class="plain" onClick=${form.takeTheirs}>Take theirs</button></div>`}
    <button type="submit" disabled=${form.busy || form.changed.length === 0}>${label}</button>
    ${form.changed.length > 0 && html`<button type="button" class="plain" onClick=${form.discard}>Discard</button><span class="soft">Not saved yet</span>`}
  </div>`;
}

// A label, a control, one sentence that says what it does, and the sentence about an invalid value.
export function Field({ form, name, label, hint, children }) {
  const wrong = form.errors[name];
  return html`<div class="field ${wrong ? "invalid" : ""}">
    <label for=${`field-${name}`}>${label}</label>${children}
    ${hint && html`<small id=${`hint-${name}`}>${hint}</small>`}
    ${wrong && html`<p class="wrong" role="alert" id=${`wrong-${name}`}>${wrong}</p>`}
  </div>`;
}

const described = (form, name, hint) => ({
  id: `field-${name}`,
  "aria-invalid": form.errors[name] ? "true" : undefined,
  "aria-describedby": [hint && `hint-${name}`, form.errors[name] && `wrong-${name}`].filter(Boolean).join(" ") || undefined,
});

// Text; an emptied one is left out of the record.
export function TextField({ form, name, label, hint, rows, ...more }) {
  const onInput = (event) => form.set(name, event.currentTarget.value === "" ? undefined : event.currentTarget.value);
  const control = { ...described(form, name, hint), value: form.get(name) ?? "", onInput, ...more };
  return html`<${Field} ...${{ form, name, label, hint }}>${rows ? html`<textarea rows=${rows} ...${control}></textarea>` : html`<input type="text" ...${control} />`}<//>`;
}

// A whole number; what is no number goes to the server as it was typed and comes back with a sentence.
export function NumberField({ form, name, label, hint, ...more }) {
  const read = (text) => (text.trim() === "" ? undefined : /^-?\d+$/.test(text.trim()) ? Number(text) : text);
  return html`<${Field} ...${{ form, name, label, hint }}><input type="text" inputmode="numeric" ...${described(form, name, hint)}
    value=${form.get(name) ?? ""} onInput=${(event) => form.set(name, read(event.currentTarget.value))} ...${more} /><//>`;
}

// Seconds in the record, minutes on the page.
export function MinutesField({ form, name, label, hint, ...more }) {
  const seconds = form.get(name);
  const shown = typeof seconds === "number" ? String(Math.round((seconds / 60) * 100) / 100) : seconds ?? "";
  const read = (text) => (text.trim() === "" ? undefined : Number.isFinite(Number(text.replace(",", "."))) ? Math.round(Number(text.replace(",", ".")) * 60) : text);
  const [typed, setTyped] = useState(null);
  return html`<${Field} ...${{ form, name, label, hint }}><span class="unit"><input type="text" inputmode="decimal" ...${described(form, name, hint)}
    value=${typed ?? shown} onInput=${(event) => { setTyped(event.currentTarget.value); form.set(name, read(event.currentTarget.value)); }} onBlur=${() => setTyped(null)} ...${more} /> min</span><//>`;
}

// `options`: [value, label] pairs; "" stands for a field that is left out.
export function ChoiceField({ form, name, label, hint, options, defaultsTo = "", ...more }) {
  const value = form.get(name) ?? defaultsTo;
  return html`<${Field} ...${{ form, name, label, hint }}><select ...${described(form, name, hint)} value=${value}
    onChange=${(event) => form.set(name, event.currentTarget.value === "" ? undefined : event.currentTarget.value)} ...${more}>
    ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}</select><//>`;
}

export function FlagField({ form, name, label, hint, defaultsTo = false }) {
  return html`<div class="field flag"><label><input type="checkbox" checked=${form.get(name) ?? defaultsTo}
    onChange=${(event) => form.set(name, event.currentTarget.checked)} /> ${label}</label>
    ${hint && html`<small>${hint}</small>`}
    ${form.errors[name] && html`<p class="wrong" role="alert">${form.errors[name]}</p>`}</div>`;
}

// One entry a line.
export function ListField({ form, name, label, hint, ...more }) {
  const value = form.get(name);
  const shown = Array.isArray(value) ? value.join("\n") : value ?? "";
  const [typed, setTyped] = useState(null);
  const read = (text) => text.split("\n").map((line) => line.trim()).filter(Boolean);
  return html`<${Field} ...${{ form, name, label, hint }}><textarea rows=${Math.max(2, shown.split("\n").length)} ...${described(form, name, hint)}
    value=${typed ?? shown} onInput=${(event) => { setTyped(event.currentTarget.value); form.set(name, read(event.currentTarget.value)); }} onBlur=${() => setTyped(null)} ...${more}></textarea><//>`;
}

// Several of `options`, ticked by name.
export function TicksField({ form, name, label, hint, options }) {
  const ticked = form.get(name) || [];
  const toggle = (key, on) => form.set(name, on ? [...ticked, key] : ticked.filter((other) => other !== key));
  return html`<fieldset class="field ticks"><legend>${label}</legend>
    ${options.map(([key, text]) => html`<label key=${key}><input type="checkbox" checked=${ticked.includes(key)} onChange=${(event) => toggle(key, event.currentTarget.checked)} /> ${text}</label>`)}
    ${hint && html`<small>${hint}</small>`}
    ${form.errors[name] && html`<p class="wrong" role="alert">${form.errors[name]}</p>`}</fieldset>`;
}

// "Changed by Maria, 12 May: hours, texts".
export function Changes({ changes = [] }) {
  if (changes.length === 0) return null;
  const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
  return html`<details class="changes"><summary>Changes</summary><ul>${changes.map((entry) =>
    html`<li key=${entry.at}>${entry.did} by ${entry.by}, ${day.format(new Date(entry.at))}${entry.fields?.length ? `: ${entry.fields.join(", ")}` : ""}</li>`)}</ul></details>`;
}
