// Notifications on this device: asked for by a tap, told to the server, renewed at each start.
import { ask } from "./api.js";
import { kept } from "./outbox.js";

const apple = /iPhone|iPad|iPod/.test(navigator.userAgent) || (navigator.platform === "MacIntel" && navigator.maxTouchPoints > 1);
const installed = matchMedia("(display-mode: standalone)").matches || navigator.standalone === true;
const able = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
const ready = navigator.serviceWorker?.register("sw.js").then(() => navigator.serviceWorker.ready).catch(() => null);

function bytes(text) {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

export class Device {
  constructor(owner, key) {
    this.key = key;
    this.place = `inbox ${owner} device`;
    this.kept = kept.get(this.place) || { id: crypto.randomUUID(), on: false, text: true };
  }

  // Why it cannot be turned on here, or null.
  hindrance() {
    if (!this.key) return "Notifications are not set up for this inbox.";
    if (apple && !installed) return "On an iPhone or iPad: tap Share, then Add to Home Screen, and open the inbox from there. Then notifications can be turned on.";
    if (!able) return "This browser cannot show notifications.";
    if (Notification.permission === "denied") return "Notifications are blocked for this page: allow them in the browser's settings.";
    return null;
  }

  on() {
    return this.kept.on && able && Notification.permission === "granted";
  }

  async turnOn() {
    if (await Notification.requestPermission() !== "granted") throw new Error("Notifications were not allowed.");
    await this.tell({ on: true });
  }

  async turnOff() {
    const subscription = await (await ready)?.pushManager.getSubscription();
    await ask(`devices/${this.kept.id}`, { method: "DELETE" });
    await subscription?.unsubscribe();
    this.keep({ on: false });
  }

  // At each start, and when something about it is changed: subscriptions end without a word.
  async tell(change = {}) {
    const registration = await ready;
    if (!registration) throw new Error("Notifications could not be turned on in this browser.");
    let subscription = await registration.pushManager.getSubscription();
    try {
      subscription ??= await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(this.key) });
    } catch {
      throw new Error("The browser's notification service did not answer; please try again later.");
    }
    const text = change.text ?? this.kept.text;
    await ask(`devices/${this.kept.id}`, { method: "PUT", body: { subscription: subscription.toJSON(), text } });
    this.keep(change);
  }

  keep(change) {
    Object.assign(this.kept, change);
    kept.set(this.place, this.kept);
  }
}
