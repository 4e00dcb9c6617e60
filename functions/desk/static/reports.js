// The page Reports.
import { html } from "./parts.js";

export function Page() {
  return html`<h1>Reports</h1>`;
}
