// Talks to a checkpoint, side by side with another.

import { ask, talk, type Checkpoint } from '../api';
import { empty, fill, h, loading } from '../dom';
import type { MakePage } from '../main';

export const chatPage: MakePage = (place, rest) => {
  const gone = new AbortController();
  const body = h('div', {}, loading());
  place.append(h('h1', {}, 'Chat'), h('p', { class: 'dim' }, 'These models continue a text: give one a beginning. The same seed gives the same text.'), body);
  ask<Checkpoint[]>('checkpoints', gone.signal).then((list) => build(list.filter((c) => c.here)), (error: unknown) => !gone.signal.aborted && fill(body, empty(error instanceof Error ? error.message : 'The dashboard does not answer.')));

  function build(list: Checkpoint[]): void {
    if (list.length === 0) {
      fill(body, empty('There is nobody to talk to before the first settlement: then the first checkpoint is there.'));
      return;
    }

    const newest = rest[0] !== undefined && list.some((c) => String(c.round) === rest[0]) ? rest[0] : String(list[0]!.round);
    const voices = [voice('The one', list, newest), voice('Beside it', list, '-1')];
    const prompt = h('textarea', { id: 'prompt', rows: 3, maxlength: 4000, 'aria-label': 'How the text begins' });
    prompt.value = 'Gets the';
    const [temperature, tokens, seed] = [number('temperature', 0.7, 0, 5, 0.1), number('tokens', 80, 1, 512, 1), number('seed', 1, 0, 1e9, 1)];
    const button = h('button', { type: 'submit', class: 'primary' }, 'Continue it');
    let speaking: AbortController | null = null;
    prompt.addEventListener('keydown', (event) => { if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) form.requestSubmit(); });
    const form = h('form', { class: 'card', submit: (event) => { event.preventDefault(); void (speaking ? speaking.abort() : speak()); } }, prompt, h('div', { class: 'row controls' }, temperature.element, tokens.element, seed.element, button));

    async function speak(): Promise<void> {
      speaking = new AbortController();
      gone.signal.addEventListener('abort', () => speaking?.abort(), { once: true });
      button.textContent = 'Stop';
      await Promise.all(voices.map((v) => v.speak({ prompt: prompt.value, temperature: temperature.value(), tokens: tokens.value(), seed: seed.value() }, speaking!.signal)));
      speaking = null;
      button.textContent = 'Continue it';
    }

    fill(body, form, h('div', { class: 'pair' }, ...voices.map((v) => v.element)));
  }

  return { update: () => undefined, leave: () => gone.abort() };
};

function voice(label: string, list: Checkpoint[], chosen: string) {
  const select = h('select', { 'aria-label': label }, h('option', { value: '' }, 'nobody'), ...list.map((c) => h('option', { value: c.round }, `after round ${c.round + 1} (${c.digest.slice(0, 8)})`)), h('option', { value: '-1' }, 'before training'));
  select.value = chosen;
  const [said, state] = [h('blockquote', { class: 'said', 'aria-live': 'off' }), h('p', { class: 'dim small', role: 'status' })];
  const speak = async (request: { prompt: string; temperature: number; tokens: number; seed: number }, signal: AbortSignal): Promise<void> => {
    said.replaceChildren();
    state.textContent = '';
    if (select.value === '') return;
    said.append(h('span', { class: 'dim' }, request.prompt));
    const began = performance.now();
    try {
      await talk({ ...request, checkpoint: Number(select.value) }, (piece) => said.append(piece), signal);
      state.textContent = `said in ${((performance.now() - began) / 1000).toFixed(1)} s`;
    } catch (error) {
      state.textContent = signal.aborted ? 'stopped' : error instanceof Error ? error.message : 'the dashboard does not answer';
    }
  };
  return { element: h('section', { class: 'card' }, select, said, state), speak };
}

function number(name: string, value: number, min: number, max: number, step: number) {
  const input = h('input', { type: 'number', value, min, max, step, required: true });
  return { element: h('label', { class: 'field' }, name, input), value: () => Number(input.value) };
}
