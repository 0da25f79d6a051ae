// The stages of a round: what happens in them, and how long each took beside the others.

import type { StageState } from './api';
import { h, svg } from './dom';
import { seconds } from './format';

const words: Record<string, [string, string]> = {
  Commit: ['Train, commit', 'Each peer trains on its samples, puts its encrypted update in the store, and promises exactly that one on the ledger.'],
  Reveal: ['Reveal', 'Peers give the keys of their updates, when all promises are in: nobody could copy. Validators reveal the randomness that judges.'],
  Judge: ['Judge', 'Validators fetch, decrypt and check every update, try some of them out, and post their verdicts. The last one closes the list.'],
  Apply: ['Apply', 'Everybody applies exactly the updates of the closed list and posts the digest of the result: all must be the same.'],
  Settle: ['Settle', 'Validators post who earned what, and the digest of a checkpoint.'],
};

/** The name of a stage, and what happens in it. */
export function stageWords(name: string): [string, string] {
  return words[name] ?? [name, ''];
}

/** The stages of a round that is over, each as long as it took. */
export function stageBar(stages: StageState[], label: string): HTMLElement {
  const total = stages.reduce((sum, stage) => sum + (stage.seconds ?? 0), 0);
  let at = 0;
  const parts = stages.map((stage, i) => {
    const width = total > 0 ? (100 * (stage.seconds ?? 0)) / total : 0;
    const part = svg('rect', { x: `${at}%`, width: `${Math.max(0, width - 0.4)}%`, height: 10, y: 0, rx: 2, class: `part s${i}` }, svg('title', {}, `${stageWords(stage.name)[0]}: ${seconds(stage.seconds)}`));
    at += width;
    return part;
  });
  return h('div', { class: 'parts' }, svg('svg', { width: '100%', height: 10, role: 'img', 'aria-label': label }, ...parts));
}
