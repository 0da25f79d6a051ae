// What the run waits for, and each node of this machine.

import type { Waits } from '../api';
import { card, empty, h, noteList, refill, table, term } from '../dom';
import { Followed } from '../follow';
import { count, percent, seconds } from '../format';
import type { MakePage } from '../main';

export const stuckPage: MakePage = (place) => {
  const body = h('div', {});
  place.append(h('h1', {}, 'Stuck?'), body);
  const followed = new Followed<Waits>('waits', body, (data) => {
    refill(body,
      card('The run', h('p', { class: 'lead' }, data.finished ? 'The run is over: nobody waits.' : data.paused ? 'The validators have paused the run.' : data.whom.length === 0 ? `Round ${count(data.round + 1)}, ${data.stage.toLowerCase()}: nobody is waited for.` : `Round ${count(data.round + 1)} is in ${data.stage.toLowerCase()} and waits for ${count(data.whom.length)}.`),
        h('p', { class: 'dim' }, data.quietSeconds === undefined ? 'Nothing has happened yet.' : `The last thing happened ${seconds(data.quietSeconds)} ago. A stage that lasts longer than ${seconds(data.stageSecondsMax)} can be ended by the validators.`),
        data.whom.length > 0 && table('Waited for', ['who', 'role', 'is waited for'], data.whom.slice(0, 100).map((w) => [h('a', { href: `#/peers/${w.uid}` }, w.name), w.role.toLowerCase(), w.for]), ['', '', 'wrap'])),
      card('Nodes on this machine', data.nodes.length === 0 ? empty('No node of this machine has told its status: this may be a past run, or one of others.') : table('Nodes', ['node', 'role', term('applied', 'Rounds that it has applied.'), term('busy', 'The part of the time of its rounds in which it had inner steps to do.'), 'waits for', term('for', 'How long it has waited for that.'), 'trouble'], data.nodes.map((n) => [n.name, n.role?.toLowerCase() ?? '', count(n.applied), percent(n.utilisation, 0), n.halted ? h('span', { class: 'bad' }, 'halted: its replica is wrong') : n.finished ? 'nothing: the run is over' : n.waitsFor + (n.whom.length ? `: ${n.whom.join(', ')}` : ''), seconds(n.sinceSeconds), n.trouble ? h('span', { class: 'bad' }, n.trouble) : '']), ['', '', 'num', 'num', 'wrap', 'num', 'wrap'])),
      card('What was reported', data.notes.length ? noteList(data.notes) : empty('Nothing.')),
    );
  });
  const ticking = setInterval(() => followed.update(), 2000);
  return { update: () => followed.update(), leave: () => { clearInterval(ticking); followed.leave(); } };
};
