// Talks to a checkpoint, side by side with another.

import { talk, type Checkpoint } from '../api';
import { empty, fill, h, refill, term } from '../dom';
import { Followed } from '../follow';
import type { MakePage } from '../main';

export const chatPage: MakePage = (place, rest) => {
  const gone = new AbortController();
  const [body, none] = [h('div', { hidden: true }), h('div', {})];
  place.append(h('h1', {}, 'Chat'), h('p', { class: 'dim' }, 'These models continue a text: give one a beginning. The same seed gives the same text.'), none, body);
  const voices = [voice('Checkpoint', rest[0] ?? 'newest'), voice('Beside it', '-1')];
  const prompt = h('textarea', { id: 'prompt', rows: 3, maxlength: 4000, 'aria-label': 'How the text begins' });
  prompt.value = 'Gets the';
  const temperature = number('temperature', 'How free it is: 0 takes the likeliest word each time.', 0.7, 0, 5, 0.1);
  const tokens = number('tokens', 'How many pieces of words at most.', 80, 1, 512, 1);
  const seed = number('seed', 'The same seed gives the same text.', 1, 0, 1e9, 1);
  const button = h('button', { type: 'submit', class: 'primary' }, 'Continue it');
  let speaking: AbortController | null = null;
  prompt.addEventListener('keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
  const form = h('form', { class: 'card', submit: (event) => { event.preventDefault(); void (speaking ? speaking.abort() : speak()); } }, prompt, h('div', { class: 'row controls' }, temperature.element, tokens.element, seed.element, button, h('span', { class: 'dim small wide-only' }, 'or Ctrl+Enter')));
  body.append(form, h('div', { class: 'pair' }, ...voices.map((v) => v.element)));

  async function speak(): Promise<void> {
    speaking = new AbortController();
    button.textContent = 'Stop';
    const signal = AbortSignal.any([gone.signal, speaking.signal]);
    await Promise.all(voices.map((v) => v.speak({ prompt: prompt.value, temperature: temperature.value(), tokens: tokens.value(), seed: seed.value() }, signal)));
    speaking = null;
    button.textContent = 'Continue it';
  }

  const followed = new Followed<Checkpoint[]>('checkpoints', none, (all) => {
    const list = all.filter((c) => c.state === 'here');
    body.hidden = list.length === 0;
    refill(none, list.length === 0 && (all.some((c) => c.state === 'elsewhere')
      ? h('p', { class: 'empty' }, 'The checkpoints are in the stores of the validators: ', h('a', { href: '#/checkpoints' }, 'fetch one'), ' to talk to it.')
      : empty(all.length ? 'The files of the checkpoints are not here.' : 'There is nobody to talk to before the first settlement: then the first checkpoint is there.')));
    for (const v of voices) v.offer(list);
  }, 2000);
  return { update: () => followed.update(), leave: () => { gone.abort(); followed.leave(); } };
};

function voice(label: string, first: string) {
  const select = h('select', { 'aria-label': label });
  const [said, state] = [h('blockquote', { class: 'said', 'aria-live': 'off' }), h('p', { class: 'dim small', role: 'status' })];
  let chosen = first;
  select.addEventListener('change', () => { chosen = select.value; });

  // Who was chosen stays so as long as it is there.
  function offer(list: Checkpoint[]): void {
    fill(select, h('option', { value: '' }, 'nobody'), ...list.map((c) => h('option', { value: c.round }, `after round ${c.round + 1} (${c.digest.slice(0, 8)})`)), h('option', { value: '-1' }, 'before training'));
    select.value = chosen;
    if (select.selectedIndex < 0) select.selectedIndex = list.length > 0 ? 1 : 0;
  }

  async function speak(request: { prompt: string; temperature: number; tokens: number; seed: number }, signal: AbortSignal): Promise<void> {
    said.replaceChildren();
    state.textContent = '';
    if (select.value === '') return;
    said.append(h('span', { class: 'dim' }, request.prompt));
    state.textContent = 'thinks…';
    const began = performance.now();
    try {
      await talk({ ...request, checkpoint: Number(select.value) }, (piece) => said.append(piece), signal);
      state.textContent = `said in ${((performance.now() - began) / 1000).toFixed(1)} s`;
    } catch (error) {
      state.textContent = signal.aborted ? 'stopped' : error instanceof Error ? error.message : 'the dashboard does not answer';
    }
  }

  return { element: h('section', { class: 'card' }, h('label', { class: 'field' }, label, select), said, state), offer, speak };
}

function number(name: string, explanation: string, value: number, min: number, max: number, step: number) {
  const input = h('input', { type: 'number', value, min, max, step, required: true, 'aria-label': name, 'aria-description': explanation });
  return { element: h('span', { class: 'field' }, term(name, explanation), input), value: () => Number(input.value) };
}
