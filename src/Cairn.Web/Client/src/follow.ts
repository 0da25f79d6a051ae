// Data of a page that is asked for again when the run has moved on, not more than once a second, and not while nobody looks.

import { ask } from './api';
import { empty, fill, loading } from './dom';
import { live } from './live';

export class Followed<T> {
  data: T | null = null;
  private version = -1;
  private busy = false;
  private last = 0;
  private again: ReturnType<typeof setTimeout> | undefined;
  private gone = new AbortController();

  /** Asks at once; shows what came in a place. */
  constructor(private path: string, private readonly place: Element, private readonly show: (data: T) => void, private readonly pace = 1000) {
    fill(place, loading());
  }

  /** Asks for something else from now on. */
  point(path: string): void {
    this.path = path;
    this.version = -1;
    this.last = 0;
    this.update();
  }

  update(): void {
    const version = live.now?.version ?? 0;
    if (this.gone.signal.aborted || this.busy || (version === this.version && this.data)) return;
    const wait = this.last + this.pace - Date.now();
    if (wait > 0 || (document.hidden && this.data)) {
      this.again ??= setTimeout(() => { this.again = undefined; this.update(); }, Math.max(wait, 250));
      return;
    }

    void this.fetch(version);
  }

  leave(): void {
    this.gone.abort();
    clearTimeout(this.again);
  }

  private async fetch(version: number): Promise<void> {
    this.busy = true;
    const path = this.path;
    try {
      const data = await ask<T>(path, this.gone.signal);
      if (path === this.path) {
        if (!this.data) fill(this.place);
        this.data = data;
        this.version = version;
        this.show(data);
      }
    } catch (error) {
      if (!this.gone.signal.aborted && !this.data) fill(this.place, empty(error instanceof Error && live.connected ? error.message : 'The dashboard does not answer. This page fills when it is back.'));
    } finally {
      this.busy = false;
      this.last = Date.now();
      if (path !== this.path) this.update();
    }
  }
}
