// Notifications only: a page from a cache would stand in the way of signing in.
addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil(clients.claim()));

// Always shows something: pushes that show nothing end the subscription on some phones.
addEventListener("push", (event) => {
  let told = {};
  try { told = event.data.json() || {}; } catch { /* shown as a new message */ }
  const shown = registration.showNotification(told.title || "New message", {
    body: told.body || "",
    tag: told.sid || "inbox",
    renotify: true,
    icon: "files/icon-192.png",
    data: told.sid || "",
  });
  if (Number.isInteger(told.waiting)) navigator.setAppBadge?.(told.waiting).catch(() => {});
  event.waitUntil(Promise.all([shown, tell({})]));
});

async function tell(message) {
  const pages = await clients.matchAll({ type: "window" });
  for (const page of pages) page.postMessage(message);
  return pages[0];
}

addEventListener("notificationclick", (event) => {
  const sid = event.notification.data;
  event.notification.close();
  event.waitUntil(tell({ open: sid }).then((page) => (page ? page.focus() : clients.openWindow(`./#${sid}`))));
});
