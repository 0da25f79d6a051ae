// Checkpoints that the validators agreed on: what they are, and how to have one.

import { bring, type Checkpoint } from '../api';
import { digest, empty, h, refill, table, term, unseen } from '../dom';
import { Followed } from '../follow';
import { bytes, count, fixed, percent } from '../format';
import type { MakePage } from '../main';

export const checkpointsPage: MakePage = (place) => {
  const [list, said] = [h('div', {}), h('p', { class: 'bad', role: 'status' })];
  place.append(h('h1', {}, 'Checkpoints'), h('p', { class: 'dim' }, 'Models in the Hugging Face layout, named by the digest that validators with more than half of all bond posted.'), list, said);
  const followed = new Followed<Checkpoint[]>('checkpoints', list, (data) => {
    refill(list, data.length === 0 ? empty('The first checkpoint comes with the first settlement.') : table('Checkpoints',
      ['after round', 'digest', 'size', 'held-out loss', 'bits/byte', term('evaluators', 'What members found that score checkpoints (cairn evaluator), signed by them; it decides nothing.'), term('files', 'Old ones are dropped from the store; their digests stay on the ledger.'), unseen('what can be done')],
      data.map((c) => [
        h('a', { href: `#/rounds/${c.round + 1}` }, count(c.round + 1)), digest(c.digest, 16), bytes(c.bytes), fixed(c.loss, 4), fixed(c.bitsPerByte, 3), found(c),
        files(c),
        c.state === 'here' ? h('a', { class: 'button', href: `#/chat/${c.round}` }, 'Try it') : c.state === 'gone' ? '' : h('button', { type: 'button', id: `fetch-${c.round}`, disabled: c.state === 'coming', click: fetchIt }, 'Fetch it'),
      ]), ['num', '', 'num', 'num', 'num', 'wrap', 'wrap', '']), texts(data));
  }, 2000);

  // The line of a checkpoint moves when a new one comes: which one is meant stands on the button.
  async function fetchIt(event: Event): Promise<void> {
    const round = Number((event.currentTarget as HTMLElement).id.split('-')[1]);
    said.textContent = '';
    const answer = bring(round);
    setTimeout(() => followed.point(), 300);
    try {
      await answer;
    } catch (error) {
      said.textContent = error instanceof Error ? error.message : 'The dashboard does not answer.';
    }

    followed.point();
  }

  return { update: () => followed.update(), leave: () => followed.leave() };
};

// A text says something only beside others: that of the same beginning before training, and that of a model trained in one place.
function texts(data: Checkpoint[]): HTMLElement | null {
  const written = data.filter((c) => c.text !== undefined).slice(0, 20);
  if (written.length === 0) return null;
  const [start, central] = [written[0].textAtStart, written[0].textCentral];
  return h('section', { class: 'card' }, h('h2', {}, 'What each writes'), h('p', { class: 'dim' }, 'From the same beginning and seed.'),
    table('What each checkpoint writes', ['', 'text'], [
      ...written.map((c): (Node | string)[] => [`after round ${c.round + 1}`, c.text!]), ...(start !== undefined ? [['before training', start]] : []), ...(central !== undefined ? [['the baseline', central]] : []),
    ], ['', 'wrap']));
}

function found(c: Checkpoint): Node | string {
  return c.evaluations.length === 0 ? '' : h('ul', { class: 'plain' }, ...c.evaluations.map((e) => h('li', {}, `${e.by}: ${fixed(e.loss, 4)} ± ${fixed(e.standardError, 4)}, ${fixed(e.bitsPerByte, 3)} bits/byte (${count(e.sequences)})`,
    ...e.tasks.map((t) => h('div', {}, `${t.task} ${t.metric} ${percent(t.mean)} ± ${percent(t.standardError)} (${count(t.count)})`)),
    ...e.texts.map((t) => h('div', {}, `${t.name} ${fixed(t.bitsPerByte, 3)} bits/byte`)))));
}

function files(c: Checkpoint): HTMLElement {
  switch (c.state) {
    case 'here': return h('ul', { class: 'plain inline' }, ...c.files.map((f) => h('li', {}, h('a', { href: `./api/checkpoints/${c.round}/${f.name}`, download: f.name }, f.name), h('span', { class: 'dim' }, ` ${bytes(f.bytes)}`))));
    case 'coming': return h('span', { class: 'dim' }, 'on its way: each piece is compared with the digest');
    case 'elsewhere': return h('span', c.trouble ? { class: 'bad' } : { class: 'dim' }, c.trouble ?? 'in the stores of the validators');
    case 'gone': return h('span', { class: 'dim' }, 'no longer here');
  }
}
