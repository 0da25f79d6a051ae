// The line to the server: where the run stands, as it changes. A lost line is taken up again by itself; one that nobody looks at is let go.

import type { Now } from './api';

type Listener = () => void;

const silence = 25_000;
const [shortestWait, longestWait] = [1000, 30_000];
const rest = 60_000;

class Live {
  now: Now | null = null;
  connected = false;
  /** When the last word came, by this machine's clock. */
  private heard = 0;
  private source: EventSource | null = null;
  private wait = shortestWait;
  private again: ReturnType<typeof setTimeout> | undefined;
  private resting: ReturnType<typeof setTimeout> | undefined;
  private listeners = new Set<Listener>();

  start(): void {
    this.connect();
    setInterval(() => {
      if (this.source && Date.now() - this.heard > silence) this.lose();
    }, 5000);
    addEventListener('online', () => this.connect());
    document.addEventListener('visibilitychange', () => {
      clearTimeout(this.resting);
      // A browser has few lines to one host, and a server few places: a tab in the background gives its own back.
      if (document.hidden) this.resting = setTimeout(() => this.close(), rest);
      else if (!this.source) this.connect();
    });
  }

  listen(listener: Listener): void {
    this.listeners.add(listener);
  }

  /** The run's time now, also between two words of the server. */
  time(): number {
    return this.now ? new Date(this.now.time).getTime() + (this.connected && !this.now.finished ? (Date.now() - this.heard) * this.now.speed : 0) : Date.now();
  }

  private connect(): void {
    this.close();
    this.heard = Date.now();
    const source = new EventSource('./api/live');
    this.source = source;
    source.addEventListener('now', (event) => {
      this.now = JSON.parse((event as MessageEvent<string>).data) as Now;
      this.heard = Date.now();
      this.connected = true;
      this.wait = shortestWait;
      this.tell();
    });
    source.addEventListener('error', () => this.lose());
  }

  // Again after a while, longer each time and not to the second: all who lost the same server would come back together.
  private lose(): void {
    this.close();
    this.connected = false;
    this.tell();
    this.again = setTimeout(() => this.connect(), this.wait * (0.5 + Math.random()));
    this.wait = Math.min(2 * this.wait, longestWait);
  }

  private close(): void {
    clearTimeout(this.again);
    this.source?.close();
    this.source = null;
  }

  private tell(): void {
    for (const listener of this.listeners) listener();
  }
}

export const live = new Live();
