// The search over one's own open conversations and customers. The words go to the server in a POST, so in no log.
import { change } from "./server.js";
import { Avatar, bare, html, useAsked } from "./parts.js";

export const SearchBox = ({ query, set }) => html`<div class="find"><input type="search" aria-label="Search" placeholder="Search names and numbers" maxlength="200" dir="auto" value=${query}
  onInput=${(event) => set(event.currentTarget.value)} onKeyDown=${(event) => { if (event.key === "Escape" && query) { event.stopPropagation(); set(""); } }} /></div>`;

export function Found({ query, row, onCustomer }) {
  const about = query.trim();
  const [answer, otherwise] = useAsked(async () => ({ about, ...await change("search", { query: about }) }), about);
  if (answer?.about !== about) return otherwise || null;
  const { conversations, customers } = answer;
  return html`<ul role="list" aria-label="Conversations" class="rows">${conversations.map(row)}</ul>
    ${customers.length > 0 && html`<section class="found"><h2>Customers</h2><ul>${customers.map((customer) => html`<li key=${customer.id}>
      <button class="choice person" onClick=${() => onCustomer(customer)}><${Avatar} name=${customer.name} /><b dir="auto">${customer.name}<small>${customer.addresses.map(bare).join(", ")}</small></b></button></li>`)}</ul></section>`}
    ${conversations.length + customers.length === 0 && html`<p class="nothing" role="status">Nothing found for “${about}”.</p>`}`;
}
