// The playground: asks for the state about once a second, draws it, sends clicks.
import { render, useEffect, useRef } from "./preact.js";
import { Phones } from "./phones.js";
import { Service } from "./service.js";
import { Settings, Trouble } from "./controls.js";
import { Workers } from "./workers.js";
import { html, post, useState } from "./ui.js";

const EVERY = 800;

function useLive() {
  const [live, setLive] = useState({ state: null, lost: false });
  const asked = useRef(() => {});
  useEffect(() => {
    let timer;
    let asking = false;
    const ask = async () => {
      clearTimeout(timer);
      if (!asking && !document.hidden) {
        asking = true;
        try {
          const answer = await fetch("/playground/state");
          if (!answer.ok) throw new Error(String(answer.status));
          const state = await answer.json();
          setLive({ state, lost: false });
        } catch {
          setLive((before) => ({ ...before, lost: true }));
        }
        asking = false;
      }
      timer = setTimeout(ask, EVERY);
    };
    asked.current = ask;
    document.addEventListener("visibilitychange", ask);
    ask();
    return () => clearTimeout(timer);
  }, []);
  return [live, () => asked.current()];
}

function Header({ state, drawer, setDrawer }) {
  const toggle = (name) => setDrawer(drawer === name ? "" : name);
  const dead = !state.functions || state.trouble.includes("kill");
  return html`<header class="top">
    <h1>Playground</h1>
    <p class="lead">A customer writes, the service finds a worker or lets them wait, the worker answers.</p>
    <nav aria-label="Pages and panels">
      <a href="/wallboard">Wallboard</a>
      <button class="plain" aria-expanded=${drawer === "trouble"} onClick=${() => toggle("trouble")}>Make trouble${state.trouble.length ? html` <span class="count">${state.trouble.length}</span>` : ""}</button>
      <button class="plain" aria-expanded=${drawer === "settings"} onClick=${() => toggle("settings")}>Settings</button>
    </nav>
    <p class="status ${dead ? "lost" : ""}" role="status"><span class="dot" aria-hidden="true"></span>${dead ? "Functions are down" : "Functions run"}</p>
  </header>`;
}

function App() {
  const [{ state, lost }, refresh] = useLive();
  const [drawer, setDrawer] = useState("");
  const [error, setError] = useState("");
  if (!state) {
    return html`<p class="loading">${lost ? "The local run does not answer. Is ./run.sh still running?" : "Starting ..."}</p>`;
  }
  const act = async (action, given) => {
    try {
      const told = await post(action, given);
      setError("");
      return told;
    } catch (failure) {
      setError(failure.message);
      return false;
    } finally {
      refresh();
    }
  };
  return html`
    <${Header} state=${state} drawer=${drawer} setDrawer=${setDrawer} />
    <div class="notices" role="alert">
      ${lost && html`<p class="notice">The local run does not answer; what you see may be old. Is ./run.sh still running?</p>`}
      ${error && html`<p class="notice">${error} <button class="plain small" onClick=${() => setError("")}>Dismiss</button></p>`}
    </div>
    <main id="main">
      ${drawer === "trouble" && html`<${Trouble} state=${state} act=${act} />`}
      ${drawer === "settings" && html`<${Settings} />`}
      <div class="board">
        <${Phones} state=${state} act=${act} />
        <${Service} state=${state} now=${state.now} act=${act} />
        <${Workers} state=${state} act=${act} />
      </div>
      <p class="foot">Project ${state.project}.${state.places.map((one) => html` <span key=${one.name}>${one.name} at <code>${one.at}</code>.</span>`)}</p>
    </main>`;
}

const place = document.getElementById("app");
place.replaceChildren();
render(html`<${App} />`, place);
