// Calls the server.
export class Failure extends Error {
  constructor(sentence, status, details = {}) {
    super(sentence);
    this.status = status;
    this.details = details; // the rest of the answer, such as the field that is invalid
    this.again = status === 0 || status === 429 || status >= 500; // another try may help
  }
}

let skew = 0; // milliseconds that this device's clock is behind the server's
export const now = () => Date.now() + skew;
export const ago = (at) => now() - Date.parse(at || 0);

// Only the page's own script sends it, which shows the server where a change comes from.
const HEADER = `X-${document.body.dataset.page || "Inbox"}`;

// Older browsers have no AbortSignal.timeout.
function endsAfter(time) {
  const controller = new AbortController();
  setTimeout(() => controller.abort(), time);
  return controller.signal;
}

export async function ask(path, method = "GET", body, etag) {
  const headers = method === "GET" ? {} : { [HEADER]: "1", "Content-Type": "application/json" };
  if (etag) headers["If-None-Match"] = etag;
  let answer;
  try {
    const signal = endsAfter(30_000);
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store", redirect: "manual", signal });
  } catch {
    throw new Failure(navigator.onLine ? "The inbox isn't responding." : "You're offline.", 0);
  }
  const time = Date.parse(answer.headers.get("Date"));
  if (time) skew = Math.abs(time - Date.now()) > 5000 ? time - Date.now() : 0;
  if (answer.status === 304) return null;
  if (answer.status === 401 || answer.type === "opaqueredirect") { // a sign-in proxy redirects
    dispatchEvent(new Event("signed-out"));
    throw new Failure("You are signed out.", 401);
  }
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Failure(content.error || `The server returned an error (${answer.status}). Please try again.`, answer.status, content);
  return { ...content, etag: answer.headers.get("ETag") };
}

export const change = (path, body = {}) => ask(path, "POST", body);
export const of = (sid, rest) => `conversations/${encodeURIComponent(sid)}/${rest}`;
