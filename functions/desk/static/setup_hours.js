// A pool's hours: a week grid of half hours, the same hours as text, and the holidays.
import { Field, ListField } from "./forms.js";
import { ask } from "./server.js";
import { html, useEffect, useRef, useState } from "./parts.js";

const DAYS = [["mon", "Monday"], ["tue", "Tuesday"], ["wed", "Wednesday"], ["thu", "Thursday"], ["fri", "Friday"], ["sat", "Saturday"], ["sun", "Sunday"]];
const STEP = 30; // minutes of one cell
const CELLS = 48;
const MIDNIGHT = 24 * 60;

const two = (number) => String(number).padStart(2, "0");
const time = (minute) => `${two(Math.floor(minute / 60) % 24)}:${two(minute % 60)}`;
const end = (minute) => (minute === MIDNIGHT ? "24:00" : time(minute));
const asText = (spans) => (spans.length ? spans.map(([from, to]) => `${time(from)}-${end(to)}`).join(", ") : "closed");
const isOpen = (spans, cell) => spans.some(([from, to]) => from < (cell + 1) * STEP && to > cell * STEP);

// The spans with this half hour opened or closed; spans that touch become one.
function painted(spans, cell, open) {
  const [from, to] = [cell * STEP, (cell + 1) * STEP];
  const rest = spans.flatMap(([begins, ends]) => [[begins, Math.min(ends, from)], [Math.max(begins, to), ends]].filter(([one, other]) => one < other));
  const all = (open ? [...rest, [from, to]] : rest).sort((one, other) => one[0] - other[0]);
  return all.reduce((joined, [begins, ends]) => {
    const last = joined.at(-1);
    if (last && last[1] >= begins) last[1] = Math.max(last[1], ends);
    else joined.push([begins, ends]);
    return joined;
  }, []);
}

const always = () => DAYS.map(() => [[0, MIDNIGHT]]);

// Click or drag with the mouse, tap, or the arrow keys and Space; Shift and an arrow key go on painting.
function Grid({ week, onPaint }) {
  const [[row, cell], setFocus] = useState([0, 18]);
  const painting = useRef(null);
  const grid = useRef(null);
  useEffect(() => {
    const stop = () => { painting.current = null; };
    addEventListener("pointerup", stop);
    return () => removeEventListener("pointerup", stop);
  }, []);
  const go = (toRow, toCell) => {
    const place = [Math.min(6, Math.max(0, toRow)), Math.min(CELLS - 1, Math.max(0, toCell))];
    setFocus(place);
    grid.current.querySelector(`[data-at="${place.join(" ")}"]`)?.focus();
    return place;
  };
  const key = (event) => {
    const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0], Home: [0, -CELLS], End: [0, CELLS] };
    if (event.key === " " || event.key === "Enter") onPaint(row, cell, !isOpen(week[row], cell));
    else if (!steps[event.key]) return;
    else {
      const open = isOpen(week[row], cell);
      const [toRow, toCell] = go(row + steps[event.key][0], cell + steps[event.key][1]);
      if (event.shiftKey) onPaint(toRow, toCell, open);
    }
    event.preventDefault();
  };
  const press = (event, atRow, at) => {
    setFocus([atRow, at]);
    if (event.pointerType === "touch") return; // a finger scrolls; its tap is a click
    painting.current = !isOpen(week[atRow], at);
    event.currentTarget.releasePointerCapture?.(event.pointerId);
    onPaint(atRow, at, painting.current);
  };
  const enter = (atRow, at) => painting.current !== null && onPaint(atRow, at, painting.current);
  const click = (event, atRow, at) => !["mouse", "pen"].includes(event.pointerType) && onPaint(atRow, at, !isOpen(week[atRow], at));
  return html`<div class="week" role="grid" aria-label="Hours of the week" ref=${grid} onKeyDown=${key}>
    <div class="weekhours" aria-hidden="true"><span></span>${[0, 3, 6, 9, 12, 15, 18, 21].map((hour) => html`<i key=${hour}>${two(hour)}</i>`)}</div>
    ${DAYS.map(([name, label], atRow) => html`<div key=${name} role="row"><span role="rowheader" class="weekday" aria-label=${label}>${label.slice(0, 3)}</span>
      ${Array.from({ length: CELLS }, (unused, at) => {
        const open = isOpen(week[atRow], at);
        return html`<span key=${at} role="gridcell" data-at=${`${atRow} ${at}`} class=${open ? "open" : ""} aria-selected=${open}
          aria-label=${`${label} ${time(at * STEP)}`} tabindex=${atRow === row && at === cell ? 0 : -1}
          onPointerDown=${(event) => press(event, atRow, at)} onPointerEnter=${() => enter(atRow, at)} onClick=${(event) => click(event, atRow, at)}></span>`;
      })}</div>`)}
  </div>`;
}

// `week`: what the server reads in the hours as they are typed now; null for always open.
export function Hours({ form, week: known }) {
  const [mine, setMine] = useState(null); // the week as painted, until the server has read it
  useEffect(() => setMine(null), [known]);
  const week = mine || known || always();
  const stored = form.get("hours");
  const isEmpty = stored === undefined || stored === null;
  const write = (next) => {
    setMine(next);
    form.set("hours", Object.fromEntries(DAYS.map(([name], at) => [name, asText(next[at])])));
  };
  const paint = (row, cell, open) => write(week.map((spans, at) => (at === row ? painted(spans, cell, open) : spans)));
  const type = (name, text) => {
    const texts = Object.fromEntries(DAYS.map(([day], at) => [day, typedOf(stored, day) ?? asText(week[at])]));
    form.set("hours", { ...texts, [name]: text });
  };
  const copyMonday = () => write(week.map((spans, at) => (at < 5 ? week[0] : spans)));
  const wrong = form.errors.hours;
  return html`<fieldset class="field hours"><legend class="hidden">Hours</legend>
    <div class="scroller" tabindex="-1"><${Grid} week=${week} onPaint=${paint} /></div>
    <small id="hint-hours">${isEmpty ? "Always open. Close a half hour by a click, or with the arrow keys and Space." : "Outside these hours customers still queue, and deadlines stop."}</small>
    <div class="daytexts">${DAYS.map(([name, label], at) => html`<label key=${name}><span>${label}</span>
      <input type="text" aria-label=${`Hours on ${label}`} value=${typedOf(stored, name) ?? (isEmpty ? "" : asText(week[at]))} placeholder="open all day"
        aria-invalid=${wrong ? "true" : undefined} onInput=${(event) => type(name, event.currentTarget.value)} /></label>`)}</div>
    <div class="toolbar"><button type="button" class="plain" onClick=${copyMonday}>Copy Monday to Friday</button>
      <button type="button" class="plain" onClick=${() => { setMine(null); form.set("hours", undefined); }} disabled=${isEmpty}>Always open</button></div>
    ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}</fieldset>`;
}

const typedOf = (stored, day) => (stored && typeof stored === "object" && !Array.isArray(stored) && typeof stored[day] === "string" ? stored[day] : undefined);

function Country({ onAdd }) {
  const [countries, setCountries] = useState([]);
  const [country, setCountry] = useState("");
  const [{ parts, needs_part: needsPart }, setParts] = useState({ parts: [] });
  const [part, setPart] = useState("");
  useEffect(() => { ask("setup/countries").then((answer) => setCountries(answer.countries), () => {}); }, []);
  useEffect(() => {
    setPart("");
    setParts({ parts: [] });
    if (country) ask(`setup/countries/${country}`).then(setParts, () => {});
  }, [country]);
  const isMissing = !country || (needsPart && !part);
  return html`<div class="toolbar country">
    <label>Country <select value=${country} onChange=${(event) => setCountry(event.currentTarget.value)}><option value="">Choose</option>
      ${countries.map(([code, name]) => html`<option key=${code} value=${code}>${name}</option>`)}</select></label>
    ${parts.length > 0 && html`<label>Region <select value=${part} onChange=${(event) => setPart(event.currentTarget.value)}><option value="">${needsPart ? "Choose" : "The whole country"}</option>
      ${parts.map(([code, name]) => html`<option key=${code} value=${code}>${name}</option>`)}</select></label>`}
    <button type="button" class="plain" disabled=${isMissing} onClick=${() => onAdd(part ? `${country}-${part}` : country)}>Add holidays</button></div>`;
}

const day = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });

export function Holidays({ form, closed }) {
  const value = form.get("holidays");
  const entries = Array.isArray(value) ? value : value ? [value] : [];
  const isSimple = entries.every((entry) => typeof entry === "string");
  const add = (name) => !entries.includes(name) && form.set("holidays", [...entries, name]);
  return html`${isSimple ? html`<${ListField} form=${form} name="holidays" label="Holidays, one a line" hint="Dates such as 2026-12-24, days of each year such as 31.12., half days such as 24.12. 9-12, and countries such as DE-BY." />`
    : html`<${Field} form=${form} name="holidays" label="Holidays" hint="This record has holidays in a form that only the Firestore console edits."><input type="text" id="field-holidays" readonly value=${JSON.stringify(value)} /><//>`}
    ${isSimple && html`<${Country} onAdd=${add} />`}
    <div class="closed"><h3 id="closed-days">The next ten closed days</h3>${closed?.length ? html`<ul aria-labelledby="closed-days">${closed.map((one) =>
      html`<li key=${one.date}><time datetime=${one.date}>${day.format(new Date(one.date))}</time> <span class="soft">${one.name}</span></li>`)}</ul>` : html`<p class="soft">No holidays.</p>`}</div>`;
}
