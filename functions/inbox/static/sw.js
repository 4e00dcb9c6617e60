// Notifications only. Nothing is kept for offline use: a page from a cache would stand in the way of signing in.
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

function read(data) {
  try { return data.json() || {}; } catch { return {}; }
}

// Always shows something, whatever came: a push that shows nothing ends the subscription on some phones.
self.addEventListener("push", (event) => {
  const told = read(event.data);
  const shown = self.registration.showNotification(told.title || "New message", {
    body: told.body || "",
    tag: told.sid || "inbox",
    renotify: true,
    icon: "static/icon-192.png",
    data: { sid: told.sid || "" },
  });
  const badge = Number.isInteger(told.waiting) && self.navigator.setAppBadge?.(told.waiting).catch(() => {});
  event.waitUntil(Promise.all([shown, badge, tellPages()]));
});

async function tellPages(more = {}) {
  const pages = await self.clients.matchAll({ type: "window" });
  for (const page of pages) page.postMessage({ look: true, ...more });
  return pages;
}

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data.sid));
});

async function open(sid) {
  const [page] = await tellPages();
  if (!page) return self.clients.openWindow(`./#${sid}`);
  page.postMessage({ open: sid });
  return page.focus();
}
