// Data of a page that is asked for again when the run has moved on, not more than once a second, and not while nobody looks.

import { ask } from './api';
import { empty, fill, loading } from './dom';
import { live } from './live';

/** Does something again whenever its version is another; once at a time, and what failed again a while later. */
export class Versioned {
  private version: string | undefined;
  private busy = false;
  private notBefore = 0;

  constructor(private readonly work: () => Promise<void>) {}

  update(...version: (number | string)[]): void {
    const wanted = version.join();
    if (this.busy || wanted === this.version || Date.now() < this.notBefore) return;
    this.busy = true;
    this.work().then(() => { this.version = wanted; }, () => { this.notBefore = Date.now() + 2000; }).finally(() => { this.busy = false; });
  }
}

/** What a page shows of one address. */
export class Followed<T> {
  data: T | null = null;
  private version = -1;
  private busy = false;
  private notBefore = 0;
  private failures = 0;
  private again: ReturnType<typeof setTimeout> | undefined;
  private gone = new AbortController();

  /** Asks at once; shows what came in a place. */
  constructor(private path: string, private readonly place: Element, private readonly show: (data: T) => void, private readonly pace = 1000) {
    fill(place, loading());
  }

  /** Asks for something else from now on, or for the same although the run has not moved on. */
  point(path = this.path): void {
    this.path = path;
    this.version = -1;
    this.notBefore = 0;
    this.update();
  }

  update(): void {
    const version = live.now?.version ?? 0;
    if (this.gone.signal.aborted || this.busy || (this.data && (version === this.version || document.hidden))) return;
    const wait = this.notBefore - Date.now();
    if (wait > 0) {
      this.again ??= setTimeout(() => { this.again = undefined; this.update(); }, wait);
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

      this.failures = 0;
    } catch (error) {
      this.failures++;
      if (!this.gone.signal.aborted && !this.data) fill(this.place, empty(error instanceof Error && live.connected ? error.message : 'The dashboard does not answer. This page fills when it is back.'));
    } finally {
      this.busy = false;
      this.notBefore = Date.now() + this.pace * 2 ** Math.min(this.failures, 5);
      if (path !== this.path) this.point();
    }
  }
}
