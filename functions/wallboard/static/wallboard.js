// Keeps the page fresh: asks for its inside every few seconds, swaps what changed, lets the ages run on.
"use strict";

const panels = document.getElementById("panels");
const status = document.getElementById("status");
const shown = new Map();
const failures = new Map();

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

async function refresh(view) {
  try {
    const answer = await fetch(`?view=${view}`, { cache: "no-store" });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}`);
    swap(await answer.text());
    failures.delete(view);
  } catch {
    failures.set(view, (failures.get(view) || 0) + 1);
  }
  const worst = Math.max(0, ...failures.values());
  if (worst === 0) tell("", "Live");
  else tell(worst > 2 ? "lost" : "late", "No answer; the figures may be old. Trying again.");
}

async function keepFresh(view, every, atOnce) {
  if (!atOnce) await pause(every);
  for (;;) {
    if (!document.hidden) await refresh(view);
    await pause(every * Math.min((failures.get(view) || 0) + 1, 4));
  }
}

function pause(seconds) {
  return new Promise((done) => { setTimeout(done, seconds * 1000); });
}

if (panels) {
  setInterval(ages, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh("now"); });
  keepFresh("now", Number(panels.dataset.nowEvery), false);
  keepFresh("today", Number(panels.dataset.todayEvery), "incomplete" in panels.dataset);
}
