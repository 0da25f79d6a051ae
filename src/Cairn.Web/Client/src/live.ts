// The line to the server: where the run stands, as it changes. A lost line is taken up again by itself.

import type { Now } from './api';

type Listener = () => void;

const silence = 25_000;

class Live {
  now: Now | null = null;
  connected = false;
  /** When the last word came, by this machine's clock. */
  heard = 0;
  private source: EventSource | null = null;
  private listeners = new Set<Listener>();

  start(): void {
    this.connect();
    setInterval(() => {
      if (this.source && Date.now() - this.heard > silence) this.connect();
    }, 5000);
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** The run's time now, also between two words of the server. */
  time(): number {
    return this.now ? new Date(this.now.time).getTime() + (this.connected && !this.now.finished ? (Date.now() - this.heard) * this.now.speed : 0) : Date.now();
  }

  private connect(): void {
    this.source?.close();
    this.heard = Date.now();
    const source = new EventSource('./api/live');
    this.source = source;
    source.addEventListener('now', (event) => {
      this.now = JSON.parse((event as MessageEvent<string>).data) as Now;
      this.heard = Date.now();
      this.connected = true;
      this.tell();
    });
    source.addEventListener('error', () => {
      this.connected = false;
      this.tell();
      if (source.readyState === EventSource.CLOSED && this.source === source) {
        this.source = null;
        setTimeout(() => this.connect(), 2000);
      }
    });
  }

  private tell(): void {
    for (const listener of [...this.listeners]) listener();
  }
}

export const live = new Live();
