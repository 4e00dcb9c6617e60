// The page Setup: three tabs, each a module that loads when it is first opened.
import { address } from "./desk.js";
import { ask } from "./server.js";
import { Bones, html, useEffect, useState } from "./parts.js";

const TABS = [
  ["routing", "Routing", () => import("./setup_routing.js")],
  ["pools", "Pools", () => import("./setup_pools.js")],
  ["templates", "Templates", () => import("./setup_templates.js")],
];

// [what GET setup answers, the error, reload].
function useOverview() {
  const [overview, setOverview] = useState(null);
  const [wrong, setWrong] = useState("");
  const reload = () => ask("setup").then(setOverview, (failure) => setWrong(failure.message));
  useEffect(() => { reload(); }, []);
  return [overview, wrong, reload];
}

function useTab(name) {
  const [loaded, setLoaded] = useState(null);
  useEffect(() => {
    let current = true;
    TABS.find(([tab]) => tab === name)[2]().then(({ Tab }) => current && setLoaded({ name, Tab }));
    return () => { current = false; };
  }, [name]);
  return loaded?.name === name ? loaded.Tab : null;
}

const STEPS = [
  ["numbers", "Numbers", "Give a pool one of your Twilio numbers.", (pool) => ["setup", "pools", pool]],
  ["people", "People", "Add the people who answer. They sign in with this e-mail address.", () => ["people", "workers"]],
  ["hours", "Hours", "Say when the pool is open. Without hours it is always open.", (pool) => ["setup", "pools", pool]],
  ["message", "A test message", "Write to the number from your phone, and see it arrive.", () => ["now"]],
];

function Checklist({ overview }) {
  const { start } = overview;
  if (start.numbers && start.people) return null;
  return html`<section class="panel" aria-label="First steps"><h2>First steps</h2><ol class="steps">${STEPS.map(([key, name, text, where]) =>
    html`<li key=${key}><span class="mark ${start[key] ? "done" : ""}" aria-hidden="true">${start[key] ? "✓" : ""}</span>
      <a href=${address(...where(overview.default_pool))}>${name}</a> <span class="soft">${start[key] ? "Done." : text}</span></li>`)}</ol></section>`;
}

// Left and Right move between the tabs, as in every tab list.
function move(event) {
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const tabs = [...event.currentTarget.querySelectorAll("[role=tab]")];
  tabs[(tabs.indexOf(event.target) + by + tabs.length) % tabs.length].focus();
}

export function Page({ rest, say }) {
  const name = TABS.some(([tab]) => tab === rest[0]) ? rest[0] : "routing";
  const [overview, wrong, reload] = useOverview();
  const Tab = useTab(name);
  return html`<h1>Setup</h1>
    ${overview && html`<${Checklist} overview=${overview} />`}
    <div role="tablist" aria-label="Setup" onKeyDown=${move}>${TABS.map(([tab, label]) =>
      html`<a key=${tab} id=${`tab-${tab}`} role="tab" href=${address("setup", tab)} aria-selected=${tab === name} aria-controls="setup-panel" tabindex=${tab === name ? 0 : -1}>${label}</a>`)}</div>
    <div role="tabpanel" id="setup-panel" aria-labelledby=${`tab-${name}`}>
      ${wrong && html`<p class="wrong" role="alert">${wrong}</p>`}
      ${Tab && overview ? html`<${Tab} key=${name} ...${{ overview, reload, say }} rest=${rest.slice(1)} />` : !wrong && html`<${Bones} />`}
    </div>`;
}
