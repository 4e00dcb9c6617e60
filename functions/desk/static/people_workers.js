// People, Workers: the team in a table, a form for each, and what removing one would mean.
import { address } from "./desk.js";
import { Changes, ChoiceField, Field, NumberField, Saving, TextField, TicksField, useForm, useRecord } from "./forms.js";
import { ask, change } from "./server.js";
import { Bones, Wrong, age, count, html, useAct, useEffect, useState } from "./parts.js";

const ROLES = [["worker", "Worker: answers customers"], ["supervisor", "Supervisor: uses the desk as well"]];
const path = (identity, rest = "") => `workers/${encodeURIComponent(identity)}${rest}`;
const go = (...parts) => { location.hash = address("people", "workers", ...parts); };

// [{ workers, pools, next }, failure, reload, more].
function useTeam() {
  const [team, setTeam] = useState(null);
  const [failure, setFailure] = useState("");
  const load = (after) => ask(after ? `workers?after=${encodeURIComponent(after)}` : "workers").then((page) => {
    setFailure("");
    setTeam((before) => (after && before ? { ...page, workers: [...before.workers, ...page.workers] } : page));
  }, (error) => setFailure(error.message));
  useEffect(() => { load(); }, []);
  return [team, failure, () => load(), () => load(team.next)];
}

function Table({ team, open, more }) {
  const names = Object.fromEntries(team.pools.map(({ id, name }) => [id, name]));
  if (team.workers.length === 0) return html`<p class="nothing">No workers yet. Add the people who answer. They sign in with this e-mail address.</p>`;
  return html`<div class="scroller" tabindex="0"><table aria-label="Workers"><thead><tr><th>Name</th><th>Status</th><th>Pools</th><th class="number">Holds</th><th>Last assigned</th><th>Role</th></tr></thead>
    <tbody>${team.workers.map((one) => html`<tr key=${one.identity} aria-selected=${one.identity === open ? "true" : undefined}>
      <td><a href=${address("people", "workers", one.identity)}>${one.name}</a>${one.name !== one.identity && html`<br /><small class="soft">${one.identity}</small>`}${one.problem && html`<br /><small class="wrong">${one.problem}</small>`}</td>
      <td>${one.confirmed ? one.status : html`<span class="tag bad">Not confirmed</span>`}</td>
      <td>${one.pools.map((id) => names[id] || id).join(", ") || html`<span class="soft">none</span>`}</td>
      <td class="number">${one.active}${one.full && " (full)"}</td><td>${one.last_assigned_at ? age(one.last_assigned_at) : ""}</td>
      <td>${one.role === "supervisor" ? "Supervisor" : "Worker"}</td></tr>`)}</tbody></table></div>
    ${team.next && html`<button type="button" class="plain" onClick=${more}>Show more</button>`}`;
}

// What follows is said before it happens.
function Removing({ identity, version, onDone, onCancel }) {
  const [what, setWhat] = useState(null);
  const [busy, wrong, remove] = useAct(async () => {
    const { said } = await change(path(identity, "/remove"), { version });
    onDone(said);
  });
  useEffect(() => { ask(path(identity, "/removal")).then(setWhat, ({ message }) => setWhat({ message })); }, []);
  if (!what) return html`<${Bones} />`;
  if (what.message) return html`<p class="wrong" role="alert">${what.message}</p><button type="button" class="plain" onClick=${onCancel}>Cancel</button>`;
  const held = `${count(what.held || 0, "conversation")} ${what.held === 1 ? "goes" : "go"} back to the queue`;
  const assigned = `${count(what.customers || 0, "customer")} ${what.customers === 1 ? "loses" : "lose"} their assigned worker`;
  return html`<div class="conflict" role="alertdialog" aria-label="Remove worker"><p>Remove ${identity}? ${held}; ${assigned}. They can't sign in any more.</p>
    <${Wrong}>${wrong}<//><div class="toolbar"><button type="button" disabled=${busy} onClick=${remove}>Remove</button><button type="button" class="plain" onClick=${onCancel}>Cancel</button></div></div>`;
}

function Account({ identity, say }) {
  const [busy, wrong, act] = useAct(async (what) => say((await change(path(identity, what))).said));
  return html`<details class="changes"><summary>Sign-in</summary><div class="toolbar">
    <button type="button" class="plain" disabled=${busy} onClick=${(event) => act(event, "/sign-out")}>Sign out everywhere</button>
    <button type="button" class="plain" disabled=${busy} onClick=${(event) => act(event, "/reset-account")}>Allow another account</button></div>
    <small>Signing out ends all sessions and notifications. Allow another account if this e-mail address has a new account at your sign-in service.</small><${Wrong}>${wrong}<//></details>`;
}

function Confirm({ loaded, identity, reload, say }) {
  const [busy, wrong, confirm] = useAct(async () => {
    await change(`records/${path(identity)}`, { version: loaded.version, fields: { confirmed: true } });
    say(`${identity} is confirmed.`);
    reload();
  });
  return html`<p class="notice">Twilio has a user with this name, but no supervisor has confirmed it. Until then it can't sign in and gets no conversations.</p>
    <${Wrong}>${wrong}<//><button type="button" disabled=${busy} onClick=${confirm}>Confirm</button>`;
}

function AwayField({ form }) {
  const value = String(form.get("away_until") ?? "").slice(0, 10);
  const hint = value ? "Until the end of this day their customers go to the deputy. Saving makes them Unavailable and hands over what they hold." : "For a holiday: the last day on which they are away.";
  return html`<${Field} form=${form} name="away_until" label="Away until" hint=${hint}><input type="date" id="field-away_until" value=${value} onInput=${(event) => form.set("away_until", event.currentTarget.value || undefined)} /><//>`;
}

function Form({ identity, loaded, team, say, reload }) {
  const [removing, setRemoving] = useState(false);
  const form = useForm({ path: `records/${path(identity)}`, loaded, title: loaded.record.display_name || identity, say, onSaved: reload });
  const options = team.pools.map(({ id, name }) => [id, name]);
  return html`${loaded.record.confirmed === false && html`<${Confirm} ...${{ loaded, identity, reload, say }} />`}
    <form class="record" onSubmit=${form.save}>
      ${loaded.problem && html`<p class="notice">${loaded.problem}</p>`}
      <${TextField} form=${form} name="display_name" label="Name" hint="Customers see it in texts with {{Author}}." />
      <${ChoiceField} form=${form} name="status" label="Status" defaultsTo="Unavailable" options=${[["Available", "Available"], ["Unavailable", "Unavailable"]]} hint="Only Available workers get new customers." />
      <${TicksField} form=${form} name="pools" label="Pools" options=${options} hint="They get conversations of these pools." />
      <${NumberField} form=${form} name="capacity" label="Capacity" hint="Conversations at the same time; empty: the largest capacity of their pools." />
      <${ChoiceField} form=${form} name="role" label="Role" options=${ROLES} defaultsTo="worker" hint="Supervisors run the team from these pages." />
      <${AwayField} form=${form} />
      <${ChoiceField} form=${form} name="deputy" label="Deputy" options=${[["", "No deputy"], ...team.workers.filter((one) => one.identity !== identity && one.confirmed).map((one) => [one.identity, one.name])]} hint="Gets this worker's customers while they are away." />
      <${Saving} form=${form} />
    </form>
    <${Account} identity=${identity} say=${say} />
    <${Changes} changes=${loaded.changes} />
    ${removing ? html`<${Removing} identity=${identity} version=${loaded.version} onCancel=${() => setRemoving(false)} onDone=${(said) => { say(said); reload(); go(); }} />`
      : html`<button type="button" class="plain" onClick=${() => setRemoving(true)}>Remove worker</button>`}`;
}

function Open({ identity, team, say, reload }) {
  const [loaded, failure, again] = useRecord(`records/${path(identity)}`);
  const both = () => { again(); reload(); };
  return html`<section class="panel" aria-label="Worker"><div class="toolbar"><h2 class="grow">${identity}</h2><a href=${address("people", "workers")}>Close</a></div>
    ${failure ? html`<p class="wrong" role="alert">${failure}</p>` : !loaded ? html`<${Bones} />` : loaded.version ? html`<${Form} ...${{ identity, loaded, team, say }} reload=${both} />`
      : html`<p class="nothing">This worker has no record.</p>`}</section>`;
}

// A form for a record that is not there yet: the same fields, saved by one request.
function Adding({ team, say, reload }) {
  const [values, setValues] = useState({ role: "worker", pools: [] });
  const [errors, setErrors] = useState({});
  const form = {
    errors,
    get: (name) => values[name],
    set: (name, value) => { setValues((before) => ({ ...before, [name]: value })); setErrors({}); },
  };
  const add = async (event) => {
    event.preventDefault();
    try {
      const { identity, said } = await change("workers", { email: "", ...values });
      say(said);
      reload();
      go(identity);
    } catch (failure) {
      setErrors({ [failure.details?.field || ""]: failure.message });
    }
  };
  return html`<section class="panel" aria-label="Add worker"><div class="toolbar"><h2 class="grow">Add worker</h2><a href=${address("people", "workers")}>Cancel</a></div>
    <form class="record" onSubmit=${add}>
      <${TextField} form=${form} name="email" label="E-mail" hint="They sign in with this e-mail address." />
      <${TextField} form=${form} name="display_name" label="Name" />
      <${TicksField} form=${form} name="pools" label="Pools" options=${team.pools.map(({ id, name }) => [id, name])} />
      <${NumberField} form=${form} name="capacity" label="Capacity" hint="Conversations at the same time; empty: the largest capacity of their pools." />
      <${ChoiceField} form=${form} name="role" label="Role" options=${ROLES} />
      ${errors[""] && html`<p class="wrong" role="alert">${errors[""]}</p>`}
      <div class="saving"><button type="submit">Save</button></div>
    </form></section>`;
}

export function Workers({ say, open }) {
  const [team, failure, reload, more] = useTeam();
  if (!team) return failure ? html`<p class="wrong" role="alert">${failure}</p>` : html`<${Bones} />`;
  return html`<div class=${open ? "columns side" : ""}>
    <section class="panel"><div class="toolbar"><h2 class="grow">${count(team.workers.length, "worker")}${team.next ? " and more" : ""}</h2><button type="button" onClick=${() => go("+")}>Add worker</button></div>
      <${Wrong}>${failure}<//><${Table} team=${team} open=${open} more=${more} /></section>
    ${open === "+" ? html`<${Adding} ...${{ team, say, reload }} />` : open && html`<${Open} key=${open} identity=${open} ...${{ team, say, reload }} />`}
  </div>`;
}
