// The page People.
import { html } from "./parts.js";

export function Page() {
  return html`<h1>People</h1>`;
}
