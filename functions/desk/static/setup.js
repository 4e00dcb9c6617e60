// The page Setup.
import { html } from "./parts.js";

export function Page() {
  return html`<h1>Setup</h1>`;
}
