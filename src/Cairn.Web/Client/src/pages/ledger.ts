// The ledger: blocks, what was said in them, and a search over all of it.

import { ask, type Block, type Blocks, type Found, type Operation } from '../api';
import { card, digest, empty, h, refill, table, term } from '../dom';
import { Followed } from '../follow';
import { bytes, count } from '../format';
import type { MakePage, Page } from '../main';

export const ledgerPage: MakePage = (place, rest) => (rest[0] !== undefined ? oneBlock(place, rest[0]) : allBlocks(place));

function allBlocks(place: HTMLElement): Page {
  let before: number | null = null;
  let lowest = 0;
  let asked = 0;
  const [state, results, list] = [h('div', {}), h('div', { role: 'status' }), h('div', {})];
  const box = h('input', { type: 'search', id: 'ledger-search', placeholder: 'A name, a number, or the beginning of a digest', 'aria-label': 'Search the ledger' });
  const form = h('form', { role: 'search', class: 'row controls', submit: (event) => { event.preventDefault(); void search(); } }, box, h('button', { type: 'submit' }, 'Search'));
  const older = h('button', { type: 'button', click: () => { before = lowest; followed.point(`blocks?before=${before}`); } }, 'Older');
  const newest = h('button', { type: 'button', click: () => { before = null; followed.point('blocks'); } }, 'Newest');
  place.append(h('h1', {}, 'Ledger'), state, form, results, list, h('div', { class: 'row after' }, newest, older));
  const followed = new Followed<Blocks>('blocks', list, (data) => {
    refill(state, card(null, h('p', { class: data.failure ? 'bad' : data.verified ? 'good' : 'dim' }, data.failure ?? (data.verified ? `Verified: ${count(data.height)} blocks, every signature and every rule, from the first block on.` : `Verifying: ${count(data.height)} blocks so far.`)),
      h('dl', {}, h('dt', {}, term('Run', 'Digest of what the run began with: members, bonds and rules. It names the run.')), h('dd', {}, digest(data.genesis, 64)), h('dt', {}, term('Rules', 'Digest of everything that the members agreed on before the first round.')), h('dd', {}, digest(data.rules, 64)), h('dt', {}, term('Last block', 'Names the newest block and, with it, everything before.')), h('dd', {}, digest(data.tip, 64)))));
    lowest = data.blocks.length ? data.blocks[data.blocks.length - 1]!.height : 0;
    older.disabled = lowest <= 1;
    newest.disabled = before === null;
    refill(list, data.blocks.length ? table('Blocks', ['block', 'hash', 'size', 'what was said'], data.blocks.map((b) => [h('a', { href: `#/ledger/${b.height}` }, count(b.height)), digest(b.hash), bytes(b.bytes), summary(b)]), ['num', '', 'num', 'wrap']) : empty('The first block comes with the first commit.'));
  });

  async function search(): Promise<void> {
    const query = box.value.trim();
    const mine = ++asked;
    if (!query) {
      refill(results);
      return;
    }

    try {
      const found = await ask<Found>(`search?q=${encodeURIComponent(query)}`);
      if (mine !== asked) return;
      refill(results, card(`Found for “${found.query}”`, found.hits.length ? h('ul', { class: 'plain' }, ...found.hits.map((hit) => h('li', {}, h('span', { class: 'tag' }, hit.kind.toLowerCase()), h('a', { href: `#/${hit.where}` }, hit.title)))) : empty('Nothing. A digest needs at least its first four digits.')));
    } catch (error) {
      refill(results, empty(error instanceof Error ? error.message : 'The dashboard does not answer.'));
    }
  }

  return { update: () => before === null && followed.update(), leave: () => followed.leave() };
}

function oneBlock(place: HTMLElement, height: string): Page {
  const body = h('div', {});
  place.append(h('p', { class: 'crumbs' }, h('a', { href: '#/ledger' }, 'Ledger')), body);
  const followed = new Followed<Block>(`blocks/${encodeURIComponent(height)}`, body, (block) => {
    refill(body,
      h('div', { class: 'row' }, h('h1', {}, `Block ${count(block.height)}`), h('span', { class: 'row' }, block.height > 1 && h('a', { class: 'button', href: `#/ledger/${block.height - 1}`, rel: 'prev' }, '← before'), h('a', { class: 'button', href: `#/ledger/${block.height + 1}`, rel: 'next' }, 'after →'))),
      card(null, h('dl', {}, h('dt', {}, term('Hash', 'Names this block and, with it, everything before.')), h('dd', {}, digest(block.hash, 64)), h('dt', {}, 'The one before'), h('dd', {}, digest(block.previous, 64)), h('dt', {}, 'Size'), h('dd', {}, bytes(block.bytes)))),
      card('Operations', table('Operations', ['kind', 'who', 'what', 'round', 'digest'], block.operations.map((o) => [o.kind, who(o), o.what, o.round === undefined ? '' : h('a', { href: `#/rounds/${o.round + 1}` }, count(o.round + 1)), digest(o.digest, 16)]), ['', '', 'wrap', 'num', ''])),
    );
  }, 60_000);
  return { update: () => followed.update(), leave: () => followed.leave() };
}

function summary(block: Block): HTMLElement {
  return h('ul', { class: 'plain' }, ...block.operations.map((o) => h('li', {}, who(o), ' ', o.what)));
}

function who(o: Operation): HTMLElement {
  return o.uid >= 0 ? h('a', { href: `#/peers/${o.uid}` }, o.who) : h('span', {}, o.who);
}
