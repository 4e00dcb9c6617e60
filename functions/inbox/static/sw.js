// Notifications only: a cached page would prevent signing in.
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

// Always shows a notification: on some phones, silent pushes end the subscription.
addEventListener("push", (event) => {
  let content = {};
  try { content = event.data.json() || {}; } catch { /* shown as a new message */ }
  const notification = registration.showNotification(content.title || "New message", {
    body: content.body || "",
    tag: content.sid || "inbox",
    renotify: true,
    icon: "files/icon-192.png",
    data: content.sid || "",
  });
  event.waitUntil(Promise.all([notification.then(count), send({})]));
});

async function count() {
  const shown = await registration.getNotifications();
  await navigator.setAppBadge?.(shown.length).catch(() => {});
}

const windows = async () => {
  const rank = ({ focused, visibilityState }) => 2 * focused + (visibilityState === "visible");
  return (await clients.matchAll({ type: "window" })).sort((one, other) => rank(other) - rank(one));
};

async function send(message) {
  for (const page of await windows()) page.postMessage(message);
}

// Returns "opened", "typing", or nothing from a page that doesn't answer, such as the sign-in page.
const PATIENCE = 700; // milliseconds
const asked = (page, message) => new Promise((done) => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = ({ data }) => done(data);
  setTimeout(done, PATIENCE);
  page.postMessage(message, [port2]);
});

// One window goes there, never one in which the worker is typing: that one offers to go.
async function open(sid) {
  let typing;
  for (const page of await windows()) {
    const answer = await asked(page, { open: sid });
    if (answer === "opened") return page.focus();
    if (answer === "typing") typing ??= page;
  }
  if (!typing) return clients.openWindow(`./#${sid}`);
  typing.postMessage({ offer: sid });
  return typing.focus();
}

addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data));
});

// The browser has replaced the subscription, possibly while no page is open.
async function renew() {
  const answer = await (await caches.open("inbox-files")).match(new URL("file/device", registration.scope));
  if (!answer) return;
  const { id, words, key } = await answer.json();
  const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  const headers = { "X-Inbox": "1", "Content-Type": "application/json" };
  const body = JSON.stringify({ subscription: subscription.toJSON(), text: words });
  await fetch(`devices/${id}`, { method: "PUT", headers, body });
}

addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew()));
