// The page Conversations.
import { html } from "./parts.js";

export function Page() {
  return html`<h1>Conversations</h1>`;
}
