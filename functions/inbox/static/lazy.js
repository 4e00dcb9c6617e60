// The dialogs, which load on first use.
import { Sheet, Wrong, html, useEffect, useState } from "./parts.js";

const modules = new Map();
let tries = 0; // a browser remembers a failed address

async function load(file) {
  if (!modules.has(file)) modules.set(file, await import(`./${file}${tries ? `?${tries}` : ""}`).catch((failure) => { tries += 1; throw failure; }));
}

const lazy = (file, name, title) => function Lazy(props) {
  const [wrong, setWrong] = useState("");
  const [, draw] = useState(0);
  useEffect(() => {
    if (!modules.has(file)) load(file).then(() => draw(1), () => setWrong("This could not be loaded. Close it and try again."));
  }, []);
  if (wrong) return html`<${Sheet} title=${title} onClose=${props.onClose}><${Wrong}>${wrong}<//><//>`;
  const Loaded = modules.get(file)?.[name];
  return Loaded ? html`<${Loaded} ...${props} />` : null;
};

export const Customer = lazy("card.js", "Customer", "Customer");
export const Templates = lazy("sheets.js", "Templates", "Templates");
export const HandOver = lazy("sheets.js", "HandOver", "Hand over");
export const Close = lazy("sheets.js", "Close", "Close");
export const NewConversation = lazy("sheets.js", "NewConversation", "New conversation");
export const More = lazy("sheets.js", "More", "More");
