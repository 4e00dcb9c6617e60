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
  if (Number.isInteger(content.waiting)) navigator.setAppBadge?.(content.waiting).catch(() => {});
  event.waitUntil(Promise.all([notification, send({})]));
});

async function send(message) {
  const pages = await clients.matchAll({ type: "window" });
  for (const page of pages) page.postMessage(message);
  return pages[0];
}

addEventListener("notificationclick", (event) => {
  const sid = event.notification.data;
  event.notification.close();
  event.waitUntil(send({ open: sid }).then((page) => (page ? page.focus() : clients.openWindow(`./#${sid}`))));
});
