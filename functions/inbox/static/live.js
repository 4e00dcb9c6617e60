// When to look again: at once after an own action, on focus and on a push; otherwise as often as something happens.
import { Failure, ask, now } from "./api.js";

const SOON = [150, 500, 1200]; // after an own action: what it sets off takes a moment
const IN_TALK = 2000;
const IN_LIST = 5000;
const AT_REST = 15_000;
const TALKING = 120_000; // a conversation with traffic as young as this
const RESTING = 600_000; // after this long without a word and without a touch

export class Live {
  constructor(hear) {
    this.hear = hear; // ({ state } or { failure })
    this.open = null; // the conversation on the screen
    this.touched = now();
    this.etag = null;
    this.state = null;
  }

  start() {
    const touch = () => { this.touched = now(); };
    const back = () => { if (!document.hidden) { touch(); this.look(); } };
    for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, touch, { passive: true });
    for (const kind of ["focus", "online"]) addEventListener(kind, back);
    document.addEventListener("visibilitychange", back);
    navigator.serviceWorker?.addEventListener("message", back);
    this.look();
  }

  pause() {
    const quiet = now() - Math.max(this.touched, this.traffic());
    if (quiet > RESTING) return AT_REST;
    const open = this.state?.conversations.find((one) => one.sid === this.open);
    return open?.last && now() - Date.parse(open.last.at) < TALKING ? IN_TALK : IN_LIST;
  }

  traffic() {
    return Math.max(0, ...(this.state?.conversations || []).map((one) => Date.parse(one.last?.at || 0)));
  }

  // One at a time; whoever asks in the meantime gets another look right after.
  async look() {
    if (this.looking) { this.once_more = true; return; }
    clearTimeout(this.timer);
    this.looking = true;
    try {
      const told = await ask("state", { etag: this.etag });
      if (!told.unchanged) {
        this.etag = told.etag;
        this.state = told;
      }
      this.hear({ state: this.state });
    } catch (failure) {
      this.hear({ failure: failure instanceof Failure ? failure : new Failure("The inbox could not be shown.", 0) });
    }
    this.looking = false;
    if (this.once_more) { this.once_more = false; this.look(); return; }
    if (!document.hidden) this.timer = setTimeout(() => this.look(), this.pause());
  }

  soon() {
    this.touched = now();
    for (const pause of SOON) setTimeout(() => this.look(), pause);
  }
}
