// Asking the server. Whatever goes wrong becomes one sentence for the person at the page.
export class Failure extends Error {
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
    this.again = status === 0 || status === 429 || status >= 500; // another try may help
  }
}

export const signedOut = new EventTarget(); // "out" when the server knows us no more

let skew = 0; // how far this device's clock is behind the server's, milliseconds
export const now = () => Date.now() + skew;

function learnTime(answer) {
  const told = Date.parse(answer.headers.get("Date") || "");
  if (told) skew = Math.abs(told - Date.now()) > 5000 ? told - Date.now() : 0;
}

export async function ask(path, { method = "GET", body, etag, seconds = 20 } = {}) {
  const headers = method === "GET" ? {} : { "X-Inbox": "1", "Content-Type": "application/json" };
  headers["X-Requested-With"] = "XMLHttpRequest"; // a sign-in proxy then answers 401 and leads nowhere else
  if (etag) headers["If-None-Match"] = etag;
  let answer;
  try {
    const signal = AbortSignal.timeout(seconds * 1000);
    answer = await fetch(path, { method, headers, body: body && JSON.stringify(body), cache: "no-store", redirect: "manual", signal });
  } catch {
    throw new Failure(navigator.onLine ? "The inbox does not answer just now." : "There is no connection.", 0);
  }
  learnTime(answer);
  if (answer.status === 304) return { unchanged: true };
  if (answer.status === 401 || answer.type === "opaqueredirect") {
    signedOut.dispatchEvent(new Event("out"));
    throw new Failure("You are signed out. Sign in again; what you wrote is kept.", 401);
  }
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Failure(told.error || `The inbox answered ${answer.status}; please try again.`, answer.status);
  return { ...told, etag: answer.headers.get("ETag") };
}

export const change = (path, body = {}, more = {}) => ask(path, { method: "POST", body, ...more });
export const of = (sid, rest) => `conversations/${encodeURIComponent(sid)}/${rest}`;
