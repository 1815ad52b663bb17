/** Newer versions of the app: looked for, offered to the person, and taken when they say so. */

import { TAKE_UPDATE } from './messages';

/**
 * `none`: this page is of the newest version that is known here. `ready`: a newer one is here whole, and waits.
 * `taken`: another tab has taken it, and modules that this page has not loaded yet may be gone.
 */
export type UpdateState = 'none' | 'ready' | 'taken';

/** ms between two looks for a newer version while the page stays open. */
const LOOK_MS = 60 * 60 * 1_000;
/** ms that a newer version has to take over: an old worker that is still answering some tab holds it back. */
const TAKE_MS = 5_000;

export class AppUpdates {
  private current: UpdateState = 'none';
  private waiting: ServiceWorker | null = null;
  private isTaking = false;
  private readonly listeners = new Set<() => void>();

  get state(): UpdateState {
    return this.current;
  }

  /** @returns a function that ends it */
  subscribe(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /**
   * Has the app kept for use without network, and looks for newer versions from now on. Where the browser has no
   * service workers (plain HTTP, some private windows), or the file cannot be fetched, the app works as without.
   */
  async start(): Promise<void> {
    const workers = navigator.serviceWorker as ServiceWorkerContainer | undefined;
    if (!workers) return;
    // Not by the controller: a page that was reloaded past its caches has none, though one is installed.
    const known = await workers.getRegistration().catch(() => undefined);
    let isFirst = !known?.active;
    workers.addEventListener('controllerchange', () => {
      // The first one takes over the page that installed it, which is of the same version.
      if (!isFirst) this.overtaken();
      isFirst = false;
    });
    const registration = await workers.register('/serviceWorker.js').catch(() => null);
    if (!registration) return;
    this.offer(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const { installing } = registration;
      installing?.addEventListener('statechange', () => {
        if (installing.state === 'installed' && registration.active) this.offer(installing);
      });
    });
    const look = () => void registration.update().catch(() => undefined);
    setInterval(look, LOOK_MS);
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'visible') look();
    });
  }

  /**
   * Takes the newer version: this page is loaded anew once it serves, or after 5 s at the latest, and other tabs are
   * told. Where it does not serve by then, the page offers it again.
   */
  take(): void {
    if (this.current !== 'ready' || !this.waiting) {
      window.location.reload();
      return;
    }
    this.isTaking = true;
    this.waiting.postMessage(TAKE_UPDATE);
    setTimeout(() => window.location.reload(), TAKE_MS);
  }

  private offer(waiting: ServiceWorker | null): void {
    if (!waiting) return;
    this.waiting = waiting;
    // Besides the change of controller: a page without one, reloaded past its caches, is not always claimed.
    waiting.addEventListener('statechange', () => {
      if (waiting.state === 'activated') this.overtaken();
    });
    this.become('ready');
  }

  private overtaken(): void {
    if (this.isTaking) window.location.reload();
    else this.become('taken');
  }

  private become(state: UpdateState): void {
    this.current = state;
    for (const listener of this.listeners) listener();
  }
}

export const appUpdates = new AppUpdates();
