// The frame of the supervisor's pages: links to the five pages, the page that is open, and what was said last.
import { render } from "./preact.js";
import { mayLeave } from "./forms.js";
import { ask, change } from "./server.js";
import { Bones, html, useEffect, useState } from "./parts.js";

// Each page is a module that loads when it is first opened; it exports `Page`.
const PAGES = [
  ["now", "Now", () => import("./now.js")],
  ["conversations", "Conversations", () => import("./conversations.js")],
  ["people", "People", () => import("./people.js")],
  ["setup", "Setup", () => import("./setup.js")],
  ["reports", "Reports", () => import("./reports.js")],
];
const SAID_FOR = 10_000; // milliseconds that a sentence about what was saved stays, with its Undo

// The address's hash is the page and what is open on it: #people/customers/ada.
export function here() {
  const [page, ...rest] = location.hash.slice(1).split("/").map(decodeURIComponent);
  return PAGES.some(([name]) => name === page) ? { page, rest } : { page: "now", rest: [] };
}

export const address = (...parts) => `#${parts.map(encodeURIComponent).join("/")}`;

function useHere() {
  const [, setHash] = useState(location.hash);
  useEffect(() => {
    let last = location.hash;
    setHash(last); // it may have changed since the first drawing
    const changed = () => {
      if (!mayLeave()) return history.replaceState(null, "", last || "#");
      last = location.hash;
      setHash(last);
    };
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return here();
}

// [say(text, { kind, undo }), the line that shows it].
function useSaid() {
  const [said, setSaid] = useState(null);
  useEffect(() => {
    const timer = said && said.kind !== "bad" && setTimeout(setSaid, SAID_FOR, null);
    return () => clearTimeout(timer);
  }, [said]);
  const say = (text, more = {}) => setSaid({ text, ...more });
  const undo = async () => {
    const { undo: act } = said;
    setSaid(null);
    await act().catch((failure) => say(failure.message, { kind: "bad" }));
  };
  return [say, html`<div class="said" role="status">${said && html`<p class=${said.kind || ""}>${said.text}
    ${said.undo && html`<button class="plain" onClick=${undo}>Undo</button>`}
    <button class="plain" onClick=${() => setSaid(null)}>Dismiss</button></p>`}</div>`];
}

function useModule(page) {
  const [module, setModule] = useState(null);
  const [failure, setFailure] = useState("");
  useEffect(() => {
    let current = true;
    const load = PAGES.find(([name]) => name === page)[2];
    load().then((loaded) => current && setModule({ page, Page: loaded.Page }),
      () => current && setFailure("This page could not be loaded. Reload it."));
    return () => { current = false; };
  }, [page]);
  return [module?.page === page ? module.Page : null, failure];
}

function Nav({ page }) {
  return html`<nav aria-label="Desk">${PAGES.map(([name, label]) =>
    html`<a key=${name} href=${address(name)} aria-current=${name === page ? "page" : undefined}>${label}</a>`)}</nav>`;
}

const leave = () => change("sign-out").finally(() => location.reload());

function App({ me }) {
  const { page, rest } = useHere();
  const [say, said] = useSaid();
  const [out, setOut] = useState(false);
  const [Page, failure] = useModule(page);
  useEffect(() => { addEventListener("signed-out", () => setOut(true)); }, []);
  useEffect(() => { document.title = `${PAGES.find(([name]) => name === page)[1]} · Desk`; }, [page]);
  return html`<header class="deskhead"><strong>Desk</strong><${Nav} page=${page} /><span class="me" title=${me.identity}>${me.name}</span><button class="plain small" onClick=${leave}>Sign out</button></header>
    <main class="desk" aria-busy=${!Page && !failure}>
      ${failure ? html`<p class="wrong" role="alert">${failure}</p>` : Page ? html`<${Page} key=${page} me=${me} rest=${rest} say=${say} />` : html`<${Bones} />`}
    </main>
    ${said}
    ${out && html`<p class="out" role="alert">You are signed out. <a class="button" href="sign-in">Sign in again</a></p>`}`;
}

const root = document.getElementById("app");
ask("me").then((me) => {
  root.replaceChildren();
  root.removeAttribute("aria-busy");
  render(html`<${App} me=${me} />`, root);
}, (failure) => {
  root.replaceChildren();
  render(html`<p class="wrong" role="alert">${failure.message}</p>`, root);
});
