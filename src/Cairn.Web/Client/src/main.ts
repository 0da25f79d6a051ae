// The frame around the pages: where we are, whether the line is good, and which page shows.

import './style.css';
import { ask, type Run } from './api';
import { fill, h, loading, refill } from './dom';
import { seconds, time } from './format';
import { live } from './live';
import { showTips } from './tips';
import { themeName, watchTheme } from './chart';
import { runPage } from './pages/run';
import { peersPage } from './pages/peers';
import { roundsPage } from './pages/rounds';
import { ledgerPage } from './pages/ledger';
import { checkpointsPage } from './pages/checkpoints';
import { stuckPage } from './pages/stuck';
import { chatPage } from './pages/chat';

/** A page fills the place it is given, follows the run, and is told when it is left. */
export interface Page {
  update(): void;
  leave(): void;
}

export type MakePage = (place: HTMLElement, rest: string[], run: Run) => Page;

const pages: { path: string; name: string; make: MakePage }[] = [
  { path: 'run', name: 'Run', make: runPage },
  { path: 'peers', name: 'Peers', make: peersPage },
  { path: 'rounds', name: 'Rounds', make: roundsPage },
  { path: 'ledger', name: 'Ledger', make: ledgerPage },
  { path: 'checkpoints', name: 'Checkpoints', make: checkpointsPage },
  { path: 'stuck', name: 'Stuck?', make: stuckPage },
  { path: 'chat', name: 'Chat', make: chatPage },
];

const main = document.getElementById('main')!;
let run: Run | null = null;
let page: Page | null = null;
let first = true;

function route(): void {
  if (!run) return;
  const [path = 'run', ...rest] = location.hash.replace(/^#\/?/, '').split('/').filter(Boolean).map(readable);
  const chosen = pages.find((candidate) => candidate.path === path) ?? pages[0]!;
  page?.leave();
  document.title = `${chosen.name} · ${run.name} · Cairn`;
  for (const link of document.querySelectorAll<HTMLAnchorElement>('#tabs a')) {
    if (link.dataset['path'] === chosen.path) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }

  document.querySelector('#tabs a[aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  fill(main);
  page = chosen.make(main, rest, run);
  page.update();
  if (!first) {
    main.focus({ preventScroll: true });
    window.scrollTo(0, 0);
  }

  first = false;
}

// Somebody may have typed it.
function readable(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function showLine(): void {
  const now = live.now;
  const state = !live.connected ? 'lost' : !now?.caughtUp ? 'reading' : now.failure ? 'lost' : now.finished ? 'over' : 'live';
  const words = {
    lost: now?.failure ? 'cannot be read' : 'no connection', reading: 'reading', over: 'run is over', live: now && now.speed !== 1 ? `replay ×${now.speed}` : 'live',
  }[state];
  refill(document.getElementById('line')!, h('span', { class: `dot ${state}` }), words);
  const banner = document.getElementById('banner')!;
  if (!live.connected && now) refill(banner, h('p', { class: 'banner' }, `The dashboard does not answer. What you see is of ${time(now.time)}; it goes on by itself when the dashboard is back.`));
  else if (now?.failure) refill(banner, h('p', { class: 'banner bad' }, `The run cannot be read any further: ${now.failure}`));
  else if (now && !now.caughtUp) refill(banner, h('p', { class: 'banner' }, `Reading and verifying the ledger: ${now.height.toLocaleString('en')} blocks so far.`));
  else if (now?.paused) refill(banner, h('p', { class: 'banner' }, 'The validators have paused the run.'));
  else refill(banner);
}

function showTheme(): void {
  const button = document.getElementById('theme')!;
  const next = themeName() === 'dark' ? 'light' : 'dark';
  button.textContent = next === 'dark' ? '☾' : '☀';
  button.setAttribute('aria-label', `Use the ${next} theme`);
  button.title = `Use the ${next} theme`;
}

// A browser may forbid to keep anything: then the theme lasts as long as the page.
function kept(theme?: string): string | null {
  try {
    if (theme) localStorage.setItem('theme', theme);
    return localStorage.getItem('theme');
  } catch {
    return null;
  }
}

async function begin(): Promise<void> {
  const saved = kept();
  if (saved) document.documentElement.dataset['theme'] = saved;
  showTheme();
  watchTheme(showTheme);
  document.getElementById('theme')!.addEventListener('click', () => {
    const chosen = themeName() === 'dark' ? 'light' : 'dark';
    document.documentElement.dataset['theme'] = chosen;
    kept(chosen);
  });
  document.querySelector('.skip')!.addEventListener('click', (event) => {
    event.preventDefault();
    main.focus();
  });
  fill(document.getElementById('tabs')!, ...pages.map((entry, i) => h('a', { href: `#/${entry.path}`, 'data-path': entry.path, 'aria-keyshortcuts': i + 1, title: `Key ${i + 1}` }, entry.name)));
  fill(main, loading());
  const update = (): void => {
    if (document.hidden) return;
    showLine();
    page?.update();
  };
  live.listen(update);
  document.addEventListener('visibilitychange', update);
  live.start();
  showTips();
  addEventListener('hashchange', route);
  addEventListener('keydown', (event) => {
    // 1 to 7 go to the pages, where nobody is typing.
    const target = event.target as HTMLElement;
    if (event.altKey || event.ctrlKey || event.metaKey || target.closest('input, textarea, select')) return;
    const entry = pages[Number(event.key) - 1];
    if (entry) location.hash = `#/${entry.path}`;
  });
  for (let wait = 1; !run; wait = Math.min(wait * 2, 16)) {
    try {
      run = await ask<Run>('run');
    } catch {
      fill(main, h('p', { class: 'empty' }, `The dashboard does not answer yet. Asking again in ${seconds(wait)}.`));
      await new Promise((done) => setTimeout(done, wait * 1000));
    }
  }

  fill(
    document.getElementById('where')!, h('strong', {}, run.name), h('span', { class: 'dim wide-only' }, ` ${run.preset} · ${(run.parameters / 1e6).toFixed(2)} M parameters`),
  );
  route();
}

void begin();
