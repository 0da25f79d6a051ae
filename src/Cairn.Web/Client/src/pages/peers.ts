// Who takes part, what each gave, and what it got.

import type { Member, MemberDetail, Members } from '../api';
import { Chart } from '../chart';
import { card, digest, empty, h, refill, table, term, tile } from '../dom';
import { Followed } from '../follow';
import { bytes, count, fixed, none, percent, plural, round, short, signed } from '../format';
import type { MakePage, Page } from '../main';

interface Column { key: string; head: string; tip: string; value: (member: Member) => number | string; cell: (member: Member) => Node | string; number: boolean }

const columns: Column[] = [
  { key: 'uid', head: 'uid', tip: 'The member’s number, in the order of registration.', value: (m) => m.uid, cell: (m) => count(m.uid), number: true },
  { key: 'name', head: 'name', tip: 'What it calls itself; names are not unique.', value: (m) => m.name, cell: (m) => h('a', { href: `#/peers/${m.uid}` }, m.name), number: false },
  { key: 'role', head: 'role', tip: 'Peers train. Validators check, close the lists and post who earned what.', value: (m) => m.role, cell: (m) => h('span', {}, m.role.toLowerCase(), state(m)), number: false },
  { key: 'share', head: 'share', tip: 'Its part of all that was paid to members so far.', value: (m) => m.share, cell: (m) => bar(m.share), number: true },
  { key: 'reward', head: 'reward', tip: 'What it earned and may spend, in the smallest unit of the run.', value: (m) => m.reward, cell: (m) => short(m.reward), number: true },
  { key: 'bond', head: 'bond', tip: 'What it has at stake: cut for a contradiction or a fault.', value: (m) => m.bond, cell: (m) => short(m.bond), number: true },
  { key: 'rating', head: 'rating', tip: 'How good its updates have been compared with those of others; uncertain ones are rated lower.', value: (m) => m.rating ?? -1e9, cell: (m) => fixed(m.rating, 1), number: true },
  { key: 'score', head: 'last gain', tip: 'By how much its last probed update alone improved the loss on its own data, nats per token.', value: (m) => m.score ?? -1e9, cell: (m) => signed(m.score, 4), number: true },
  { key: 'accepted', head: 'accepted', tip: 'Updates that stood in the closed list of a round.', value: (m) => m.accepted, cell: (m) => (m.role === 'Peer' ? count(m.accepted) : none), number: true },
  { key: 'refused', head: 'refused', tip: 'Updates that validators with most of the bond did not accept.', value: (m) => m.refused, cell: refusals, number: true },
  { key: 'sent', head: 'sent', tip: 'Bytes of all its updates.', value: (m) => m.bytesSent, cell: (m) => (m.role === 'Peer' ? bytes(m.bytesSent) : none), number: true },
  { key: 'since', head: 'since', tip: 'The round in which it registered.', value: (m) => m.since, cell: (m) => (m.since <= 0 ? 'the start' : round(m.since)), number: true },
];

export const peersPage: MakePage = (place, rest) => (rest[0] !== undefined ? onePeer(place, rest[0]) : allPeers(place));

function allPeers(place: HTMLElement): Page {
  let [sort, down, text, kind] = ['uid', false, '', 'all'];
  const search = h('input', { type: 'search', id: 'peer-filter', placeholder: 'Filter by name', 'aria-label': 'Filter by name', input: (event) => { text = (event.target as HTMLInputElement).value.toLowerCase(); show(); } });
  const select = h('select', { 'aria-label': 'Which members', change: (event) => { kind = (event.target as HTMLSelectElement).value; show(); } }, ...[['all', 'all members'], ['Peer', 'peers'], ['Validator', 'validators'], ['refused', 'with refusals'], ['absent', 'absent or gone']].map(([value, name]) => h('option', { value }, name)));
  const summary = h('p', { class: 'dim' });
  const list = h('div', {});
  place.append(h('h1', {}, 'Peers'), h('div', { class: 'row controls' }, search, select, summary), list);
  const followed = new Followed<Members>('peers', list, show);

  function show(): void {
    const data = followed.data;
    if (!data) return;
    const column = columns.find((candidate) => candidate.key === sort)!;
    const chosen = data.members
      .filter((m) => m.name.includes(text))
      .filter((m) => kind === 'all' || m.role === kind || (kind === 'refused' && m.refused > 0) || (kind === 'absent' && (!m.active || m.left)))
      .sort((a, b) => compare(column.value(a), column.value(b)) * (down ? -1 : 1) || a.uid - b.uid);
    refill(summary, `${plural(chosen.length, 'member', 'members')} · ${short(data.minted - data.auditFund)} paid, ${data.unpaid > 0 ? `${short(data.unpaid)} waiting until work can be told, ` : ''}${short(data.auditFund)} laid aside for audits, ${short(data.burned)} cut and burned, in units of the run`);
    const shown = chosen.slice(0, 500);
    refill(list, chosen.length === 0 ? empty('Nobody matches.') : table('Members', columns.map(head), shown.map((m) => columns.map((c) => c.cell(m))), columns.map((c) => (c.number ? 'num' : ''))), chosen.length > shown.length && empty(`${chosen.length - shown.length} more: filter to see them.`));
  }

  function head(column: Column): HTMLElement {
    const on = column.key === sort;
    return h('th', { scope: 'col', class: column.number ? 'num' : '', 'aria-sort': on ? (down ? 'descending' : 'ascending') : null },
      h('button', { type: 'button', id: `sort-${column.key}`, class: 'sort', 'data-tip': column.tip, 'aria-description': column.tip, click: () => {
        down = sort === column.key ? !down : column.number && column.key !== 'uid' && column.key !== 'since';
        sort = column.key;
        show();
        document.getElementById(`sort-${column.key}`)?.focus();
      } }, h('span', { class: 'arrow', 'aria-hidden': 'true' }, on ? (down ? '↓' : '↑') : ''), column.head));
  }

  return { update: () => followed.update(), leave: () => followed.leave() };
}

function onePeer(place: HTMLElement, uid: string): Page {
  const chart = new Chart('Rating', 220);
  const [head, chartCard, rest] = [h('div', {}), h('section', { class: 'card' }, h('h2', {}, 'Rating over the rounds'), chart.element), h('div', {})];
  chartCard.hidden = true;
  place.append(h('p', { class: 'crumbs' }, h('a', { href: '#/peers' }, 'Peers')), head, chartCard, rest);
  let shown = 100;
  const showAll = (): void => { shown = Infinity; if (followed.data) show(followed.data); };
  const followed = new Followed<MemberDetail>(`peers/${encodeURIComponent(uid)}`, head, show);

  function show(data: MemberDetail): void {
    const m = data.member;
    refill(head, h('h1', {}, m.name, h('span', { class: 'dim' }, ` uid ${m.uid}, ${m.role.toLowerCase()}`), state(m)), h('div', { class: 'tiles' },
      tile(term('Share', 'Its part of all that was paid to members so far.'), percent(m.share), `reward ${short(m.reward)} units`), tile(term('Bond', 'What it has at stake, in the smallest unit of the run.'), h('span', {}, short(m.bond), h('small', {}, ' units')), plural(data.slashes.length, 'cut', 'cuts')),
      ...(m.role === 'Peer' ? [
        tile('Accepted', count(m.accepted), `${count(m.refused)} refused`), tile(term('Rating', 'How good its updates have been compared with those of others; uncertain ones are rated lower.'), fixed(m.rating, 1), `last gain ${signed(m.score, 4)} nats/token`),
        tile(term('Work found', 'The part of the work that replays and probes found of it so far.'), percent(m.work, 0), `training loss ${fixed(m.trainLoss, 3)}`), tile('Sent', bytes(m.bytesSent), m.since <= 0 ? 'since the start' : `since ${round(m.since)}`),
        data.contribution?.contribution && tile(term('Contribution', 'What its own parts of the steps did for the held-out loss, nats per token, in the rounds that somebody has measured; above 0 it helped. Left out: what the rounds gained by its being there and not only the others.'), signed(data.contribution.contribution.nats, 4), `over ${plural(data.contribution.rounds, 'round', 'rounds')}, left out ${signed(data.contribution.leftOut?.nats, 4)}`),
      ] : [])));
    const rated = data.rounds.filter((r) => r.rating !== undefined).reverse();
    chartCard.hidden = rated.length < 2;
    if (rated.length >= 2) chart.show('round', 'rating', [{ label: 'rating', color: '--accent', points: rated.length < 40 }], [rated.map((r) => r.round + 1), rated.map((r) => r.rating)], `Now ${fixed(m.rating, 1)}.`, 1);
    refill(rest,
      m.reasons.length > 0 && card('Said against its updates', h('ul', { class: 'plain' }, ...m.reasons.map((r) => h('li', {}, `${r.reason}: ${plural(r.times, 'time', 'times')}`)))),
      data.slashes.length > 0 && card('Cuts of its bond', table('Cuts', ['round', 'why', 'amount', 'evidence'], data.slashes.map((s) => [count(s.round + 1), s.reason, short(s.amount), digest(s.evidence)]))),
      m.role === 'Peer' && card('Its rounds', data.rounds.length ? table('Its rounds', ['round', term('in the list', 'Whether its update stands in the closed list of the round.'), 'against it', 'samples', 'sent', 'rating', term('gain', 'By how much its update alone improved the loss on its own data, nats per token; only where it was probed.'), term('training loss', 'Of its last inner step, nats per token.')], data.rounds.slice(0, shown).map((r) => [h('a', { href: `#/rounds/${r.round + 1}` }, count(r.round + 1)), r.counted ? 'yes' : h('span', { class: 'dim' }, 'no'), r.reason ? h('span', { class: 'bad' }, r.reason) : '', r.samples ? count(r.samples) : none, r.bytes ? bytes(r.bytes) : none, fixed(r.rating, 1), signed(r.score, 4), fixed(r.trainLoss, 3)]), ['num', '', '', 'num', 'num', 'num', 'num', 'num']) : empty('It has not been in a round yet.'), data.rounds.length > shown && h('button', { type: 'button', class: 'after', click: showAll }, `Show all ${count(data.rounds.length)}`)),
      card('Who it is', h('dl', {}, h('dt', {}, 'Key'), h('dd', {}, h('code', {}, data.key)), h('dt', {}, 'Its store'), h('dd', {}, data.place || 'that of the run'), h('dt', {}, 'Absent'), h('dd', {}, plural(data.absentRounds, 'round in a row', 'rounds in a row')), data.samples > 0 && h('dt', {}, 'Declared'), data.samples > 0 && h('dd', {}, `${count(data.samples)} samples a round`))),
    );
  }

  return { update: () => followed.update(), leave: () => { followed.leave(); chart.destroy(); } };
}

function state(m: Member): HTMLElement | null {
  return m.left ? h('span', { class: 'tag' }, 'left') : !m.active ? h('span', { class: 'tag warn' }, 'absent') : null;
}

function refusals(m: Member): Node | string {
  if (m.role !== 'Peer') return none;
  if (m.refused === 0 && m.reasons.length === 0) return '0';
  return h('span', { class: 'term bad', tabindex: 0, 'data-tip': m.reasons.map((r) => `${r.reason} ${r.times}×`).join(', ') + (m.lastRefusalRound !== undefined ? `; last in ${round(m.lastRefusalRound)}` : '') }, count(m.refused));
}

function bar(part: number): HTMLElement {
  return h('span', { class: 'bar' }, h('meter', { min: 0, max: 1, value: part, 'aria-hidden': 'true' }), percent(part));
}

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b));
}
