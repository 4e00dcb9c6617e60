// A pool's texts to the customer: each kind in any number of languages, with what a customer would read.
import { html, useState } from "./parts.js";

const KINDS = [
  ["queued", "While they wait", "Sent once when the customer starts to wait.", "{{Name}}, {{Position}}, {{Wait}}"],
  ["away", "When the pool is closed", "Sent once for each closing time, to a customer who writes while the pool is closed.", "{{Name}}, {{Position}}, {{Opens}}"],
  ["assigned", "When a worker is added", "Sent once for each wait and worker.", "{{Name}}, {{Author}}"],
];
const LANGUAGES = ["de", "en", "es", "fr", "it", "nl", "pl", "pt"];

const isTemplate = (value) => value && typeof value === "object" && typeof value.template === "string" && Object.keys(value).length === 1;

// The rows of one kind: [{ language, text, template }]; template is null for a text that is written here.
function rowsOf(value) {
  if (value === undefined || value === null) return [];
  const byLanguage = typeof value === "object" && !isTemplate(value) ? value : { "": value };
  return Object.entries(byLanguage).map(([language, content]) => ({
    language: language === "default" || language === "*" ? "" : language,
    text: typeof content === "string" ? content : "",
    template: isTemplate(content) ? content.template : null,
  })).sort((one, other) => (one.language < other.language ? -1 : 1));
}

function valueOf(rows) {
  const contents = rows.map(({ language, text, template }) => [language.trim(), template === null ? text : { template }]);
  if (contents.length === 0) return undefined;
  if (contents.length === 1 && contents[0][0] === "") return contents[0][1];
  return Object.fromEntries(contents.map(([language, content]) => [language || "default", content]));
}

function Row({ kind, label, row, first, templates, preview, fault, onChange, onRemove }) {
  const name = row.language ? `${label}, ${row.language}` : label;
  return html`<div class="textrow">
    <div class="toolbar"><label>Language <input type="text" class="short" list="languages" value=${row.language} placeholder="all" aria-label=${`Language of “${label}”`}
        onInput=${(event) => onChange({ language: event.currentTarget.value })} /></label>
      <label>Content <select value=${row.template === null ? "" : `t:${row.template}`} aria-label=${`Content of “${name}”`}
        onChange=${(event) => onChange({ template: event.currentTarget.value ? event.currentTarget.value.slice(2) : null })}>
        <option value="" selected=${row.template === null}>Text</option>
        ${templates.map((id) => html`<option key=${id} value=${`t:${id}`} selected=${row.template === id}>Template ${id}</option>`)}</select></label>
      <button type="button" class="plain" aria-label=${`Remove “${name}”`} onClick=${onRemove}>Remove</button></div>
    ${row.template === null && html`<textarea rows="2" aria-label=${name} value=${row.text} onInput=${(event) => onChange({ text: event.currentTarget.value })}></textarea>`}
    ${fault && first ? html`<p class="wrong">${fault}</p>` : preview && html`<p class="preview"><span class="soft">Ada Byron reads:</span> <q>${preview.text || "Nothing: no sentence is left."}</q></p>`}
  </div>`;
}

function Kind({ kind: [kind, label, hint, placeholders], form, templates, look }) {
  const texts = form.get("texts") || {};
  // A row without a language of its own yet is kept here, because a map cannot hold it.
  const [draft, setDraft] = useState(null);
  const stored = JSON.stringify(texts[kind] ?? null);
  const rows = draft && draft.stored === stored ? draft.rows : rowsOf(texts[kind]);
  const write = (next) => {
    const value = valueOf(next);
    const { [kind]: former, ...others } = texts;
    const all = value === undefined ? others : { ...others, [kind]: value };
    setDraft({ stored: JSON.stringify(value ?? null), rows: next });
    form.set("texts", Object.keys(all).length ? all : undefined);
  };
  const previews = look?.texts?.[kind] || [];
  const fault = look?.faults.find((sentence) => sentence.startsWith(`texts.${kind}`));
  const spelled = (language) => (language || "").trim().toLowerCase().replaceAll("_", "-");
  return html`<div class="textkind"><h3>${label}</h3><small>${hint} It may have ${placeholders}.</small>
    ${rows.map((row, at) => html`<${Row} key=${at} ...${{ kind, label, row, templates, fault }} first=${at === 0}
      preview=${previews.find((one) => spelled(one.language) === spelled(row.language))}
      onChange=${(change) => write(rows.map((other, index) => (index === at ? { ...other, ...change } : other)))}
      onRemove=${() => write(rows.filter((other, index) => index !== at))} />`)}
    <button type="button" class="plain" aria-label=${`${rows.length ? "Add a language" : "Add a text"} for “${label}”`} onClick=${() => write([...rows, { language: rows.length ? LANGUAGES.find((code) => !rows.some((row) => row.language === code)) || "" : "", text: "", template: null }])}>
      ${rows.length ? "Add a language" : "Add a text"}</button></div>`;
}

export function Texts({ form, templates, look }) {
  return html`<fieldset class="field texts"><legend>Texts to the customer</legend>
    <datalist id="languages">${LANGUAGES.map((code) => html`<option key=${code} value=${code} />`)}</datalist>
    ${KINDS.map((kind) => html`<${Kind} key=${kind[0]} ...${{ kind, form, templates, look }} />`)}
    <small>A sentence with a placeholder that has no value is left out. A text without a language is for every language that has none of its own.</small>
    ${form.errors.texts && html`<p class="wrong" role="alert">${form.errors.texts}</p>`}</fieldset>`;
}
