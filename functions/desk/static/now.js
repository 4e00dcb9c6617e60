// The page Now.
import { html } from "./parts.js";

export function Page() {
  return html`<h1>Now</h1>`;
}
