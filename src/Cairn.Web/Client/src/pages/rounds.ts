// The rounds, and one of them in full: who said what, what was found, and what all ended with.

import type { Evidence, RoundDetail, Rounds } from '../api';
import { card, digest, empty, h, refill, table, term, tile, unseen } from '../dom';
import { Followed } from '../follow';
import { bytes, count, fixed, none, percent, plural, seconds, signed } from '../format';
import type { MakePage, Page } from '../main';
import { stageBar, stageWords } from '../stages';

export const roundsPage: MakePage = (place, rest) => (rest[0] !== undefined ? oneRound(place, Number(rest[0]) - 1) : allRounds(place));

function allRounds(place: HTMLElement): Page {
  let before: number | null = null;
  const list = h('div', {});
  const older = h('button', { type: 'button', click: () => { before = lastShown; followed.point(path()); } }, 'Older');
  const newest = h('button', { type: 'button', click: () => { before = null; followed.point(path()); } }, 'Newest');
  place.append(h('h1', {}, 'Rounds'), list, h('div', { class: 'row after' }, newest, older));
  let lastShown = 0;
  const path = () => (before === null ? 'rounds' : `rounds?before=${before}`);
  const followed = new Followed<Rounds>(path(), list, (data) => {
    lastShown = data.rounds.length ? data.rounds[data.rounds.length - 1]!.round : 0;
    older.disabled = lastShown <= data.first;
    newest.disabled = before === null;
    refill(list, data.rounds.length === 0 ? empty('No round has begun.') : table('Rounds',
      ['round', term('updates', 'Updates in the closed list, of peers that had a place.'), 'samples', 'sent', 'took', 'held-out loss', term('base', 'Digest of the parameters after the round, as validators with more than half of all bond posted it.'), unseen('remarks')],
      data.rounds.map((r) => [
        h('a', { href: `#/rounds/${r.round + 1}` }, count(r.round + 1)), r.members === undefined ? h('span', { class: 'dim' }, `… of ${r.roster}`) : `${r.members} of ${r.roster}`, r.members === undefined ? none : count(r.samples),
        r.bytes ? bytes(r.bytes) : none, seconds(r.seconds), fixed(r.loss, 4), digest(r.base, 8), h('span', {}, r.settles ? h('span', { class: 'tag' }, 'settles') : null, r.agreement ? null : h('span', { class: 'tag bad' }, 'bases differ'), r.timeouts > 0 ? h('span', { class: 'tag warn' }, 'timed out') : null),
      ]), ['num', 'num', 'num', 'num', 'num', 'num', '', '']));
  });
  return { update: () => before === null && followed.update(), leave: () => followed.leave() };
}

function oneRound(place: HTMLElement, number: number): Page {
  const body = h('div', {});
  place.append(h('p', { class: 'crumbs' }, h('a', { href: '#/rounds' }, 'Rounds')), body);
  const followed = new Followed<RoundDetail>(`rounds/${number}`, body, (data) => {
    const r = data.round;
    refill(body,
      h('div', { class: 'row' }, h('h1', {}, `Round ${count(r.round + 1)}`), h('span', { class: 'row' }, r.round > 0 && h('a', { class: 'button', href: `#/rounds/${r.round}`, rel: 'prev' }, '← before'), h('a', { class: 'button', href: `#/rounds/${r.round + 2}`, rel: 'next' }, 'after →'))),
      h('div', { class: 'tiles' },
        tile('Updates', h('span', {}, r.members === undefined ? '…' : count(r.members), h('small', {}, ` of ${r.roster}`)), r.members === undefined ? 'the list is not closed yet' : `${count(r.samples)} samples`),
        tile('Took', seconds(r.seconds), r.timeouts ? plural(r.timeouts, 'timeout was voted', 'timeouts were voted') : 'no timeout'), tile('Held-out loss', fixed(r.loss, 4), 'nats/token after it'),
        tile('Sent', bytes(r.bytes), r.members ? `${bytes(r.bytes / Math.max(1, r.members))} each` : none)),
      card('Stages', data.stages.some((s) => s.seconds) && stageBar(data.stages, 'Parts of the round'), table('Stages', ['stage', 'took', term('acted', 'How many have done their part, of those who have one.')], data.stages.map((s, i) => [h('span', {}, h('span', { class: `key k${i}`, 'aria-hidden': 'true' }), term(...stageWords(s.name))), seconds(s.seconds), `${s.done} of ${s.of}`]), ['', 'num', 'num'])),
      card(term('Manifest', 'The closed list of the updates of the round, each with its part in the mean. Never reopened.'), r.manifest ? h('p', { class: 'dim' }, 'Its digest: ', digest(r.manifest, 64)) : null,
        data.manifest.length ? table('Manifest', ['peer', 'part', 'size', 'object'], data.manifest.map((m) => [h('a', { href: `#/peers/${m.uid}` }, m.name), percent(m.part), bytes(m.bytes), digest(m.object, 16)]), ['', 'num', 'num', '']) : empty(r.members === undefined ? 'Not closed yet.' : 'Empty: no update was accepted, and the base stayed as it was.')),
      card(term('Verdicts and their evidence', 'What each validator found, from its log: what an update did to the loss when it was applied alone.'), data.evidence.length ? evidence(data.evidence) : empty('No validator of this machine has logged its judgement of the round; its verdict stands in the timeline.')),
      card('Bases of all nodes', data.bases.length ? h('div', {}, h('p', { class: r.agreement ? 'good' : 'bad' }, r.agreement ? `All ${count(data.bases.length)} posted the same digest.` : 'Not all posted the same digest.'), table('Bases', ['node', 'role', 'digest', 'agrees'], data.bases.map((b) => [h('a', { href: `#/peers/${b.uid}` }, b.name), b.role.toLowerCase(), digest(b.digest, 32), b.agrees ? h('span', { class: 'good' }, 'the quorum’s') : h('span', { class: 'bad' }, 'another')]))) : empty('Nobody has posted a base yet.')),
      card('Timeline', h('p', { class: 'dim' }, `Blocks ${count(data.firstHeight)} to ${count(data.lastHeight)} of the ledger, in order.`), table('Timeline', ['block', 'who', 'what', 'digest'], data.operations.map((o) => [h('a', { href: `#/ledger/${o.height}` }, count(o.height)), o.uid >= 0 ? h('a', { href: `#/peers/${o.uid}` }, o.who) : o.who, o.what, digest(o.digest)]), ['num', '', 'wrap', '']), data.cut && empty('More was said than is shown here: see the ledger.')),
    );
  }, 1500);
  return { update: () => followed.update(), leave: () => followed.leave() };
}

function evidence(list: Evidence[]): HTMLElement {
  return table('Evidence',
    ['validator', 'peer', 'verdict', term('gain', 'Improvement of the loss on its own data, nats per token.'), term('on other data', 'Improvement on data that nobody was given.'), term('clearness', 'By how many standard errors it improved its own data more than the other: what says that it worked.'), term('work', 'The part of the work that was found of it so far.'), 'rating', 'more'],
    list.map((e) => [e.validator, h('a', { href: `#/peers/${e.uid}` }, e.peer), e.reason === 'None' ? h('span', { class: 'good' }, 'accepted') : h('span', { class: 'bad' }, e.reason), signed(e.score, 4), signed(e.heldBack, 4), fixed(e.clearness, 1), e.work === undefined ? none : percent(e.work, 0), fixed(e.rating, 1), e.detail ?? '']),
    ['', '', '', 'num', 'num', 'num', 'num', 'num', 'wrap']);
}
