// Keeps the page fresh: asks for its inside every few seconds, swaps what changed, lets the ages run on.
"use strict";

const panels = document.getElementById("panels");
const status = document.getElementById("status");
const shown = new Map();
let failures = 0;

function inWords(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const [big, small, names] = whole < 3600
    ? [Math.floor(whole / 60), whole % 60, ["min", "s"]]
    : [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), ["h", "min"]];
  if (whole < 60) return `${whole} s`;
  return small ? `${big} ${names[0]} ${small} ${names[1]}` : `${big} ${names[0]}`;
}

function ages() {
  for (const time of document.querySelectorAll("time[data-since]")) {
    const words = inWords(Date.now() / 1000 - Number(time.dataset.since));
    if (time.textContent !== words) time.textContent = words;
  }
}

// The server has escaped everything in it, and the page's policy lets nothing in it run.
function swap(text) {
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const panel of fresh.querySelectorAll("[id^='panel-']")) {
    const source = panel.outerHTML;
    const old = document.getElementById(panel.id);
    if (!old || shown.get(panel.id) === source) continue;
    shown.set(panel.id, source);
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    old.replaceWith(panel);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  }
  ages();
}

function tell(state, text) {
  status.className = `status ${state}`;
  const line = document.getElementById("status-text");
  if (line.textContent !== text) line.textContent = text;
}

async function refresh() {
  try {
    const answer = await fetch("?view=panels", { cache: "no-store" });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}`);
    swap(await answer.text());
    failures = 0;
    tell("", "Live");
  } catch {
    failures += 1;
    tell(failures > 2 ? "lost" : "late", "No answer; the figures may be old. Trying again.");
  }
}

async function keepFresh() {
  const every = Number(panels.dataset.every) * 1000;
  if (!("incomplete" in panels.dataset)) await new Promise((done) => setTimeout(done, every));
  for (;;) {
    if (!document.hidden) await refresh();
    else tell("late", "Paused while nobody looks");
    await new Promise((done) => setTimeout(done, every * Math.min(failures + 1, 6)));
  }
}

if (panels) {
  setInterval(ages, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  keepFresh();
}
