// Checkpoints that the validators agreed on: what they are, and how to have one.

import type { Checkpoint } from '../api';
import { digest, empty, h, refill, table, term } from '../dom';
import { Followed } from '../follow';
import { bytes, count, fixed } from '../format';
import type { MakePage } from '../main';

export const checkpointsPage: MakePage = (place) => {
  const list = h('div', {});
  place.append(h('h1', {}, 'Checkpoints'), h('p', { class: 'dim' }, 'Models in the Hugging Face layout, named by the digest that validators with more than half of all bond posted.'), list);
  const followed = new Followed<Checkpoint[]>('checkpoints', list, (data) => {
    refill(list, data.length === 0 ? empty('The first checkpoint comes with the first settlement.') : table('Checkpoints',
      ['after round', 'digest', 'size', 'held-out loss', 'bits/byte', term('files', 'Old ones are dropped from the store; their digests stay on the ledger.'), ''],
      data.map((c) => [
        h('a', { href: `#/rounds/${c.round + 1}` }, count(c.round + 1)), digest(c.digest, 16), c.here ? bytes(c.bytes) : '–', fixed(c.loss, 4), fixed(c.bitsPerByte, 3),
        c.here ? h('ul', { class: 'plain inline' }, ...c.files.map((f) => h('li', {}, h('a', { href: `./api/checkpoints/${c.round}/${f.name}`, download: f.name, title: bytes(f.bytes) }, f.name)))) : h('span', { class: 'dim' }, 'no longer here'),
        c.here ? h('a', { class: 'button', href: `#/chat/${c.round}` }, 'Try it') : '',
      ]), ['num', '', 'num', 'num', 'num', 'wrap', '']));
  }, 2000);
  return { update: () => followed.update(), leave: () => followed.leave() };
};
