// Where the run stands: the curve, the round clock, and what the model writes.

import { ask, type Baseline, type CurvePiece, type Now, type Point, type Run, type Sample, type StageState } from '../api';
import { Chart } from '../chart';
import { card, digest, empty, h, loading, noteList, refill, svg, term, tile, type Child } from '../dom';
import { Versioned } from '../follow';
import { bytes, count, fixed, percent, plural, round, seconds, short } from '../format';
import { live } from '../live';
import type { MakePage } from '../main';
import { stageBar, stageWords } from '../stages';

export const runPage: MakePage = (place, _rest, run) => {
  const tiles = h('div', { class: 'tiles' });
  const chart = new Chart('Held-out loss', 300);
  const noCurve = h('div', {}, loading());
  const clock = h('div', {});
  const samples = h('div', {}, loading());
  const notes = h('div', {});
  let [axis, unit] = ['round', 'loss'];
  const choices = h('div', { class: 'choices' }, choice('Over', [['round', 'rounds'], ['tokens', 'tokens']], (value) => { axis = value; draw(); }), choice('In', [['loss', 'nats/token'], ['bits', 'bits/byte']], (value) => { unit = value; draw(); }));
  place.append(
    h('h1', { class: 'unseen' }, 'Run'), tiles,
    h('div', { class: 'columns' }, h('section', { class: 'card grow' }, h('div', { class: 'row' }, h('h2', {}, term('Held-out loss', 'How well the model predicts a fixed part of the text that nobody trains on. Nats per token: lower is better. Bits per byte do not depend on the tokenizer.')), choices), noCurve, chart.element), h('section', { class: 'card clock-card' }, h('h2', {}, 'Round clock'), clock)),
    card('What the model writes', samples), card('Lately', notes),
  );

  let [points, baselines, generation] = [[] as Point[], [] as Baseline[], -1];
  let texts: Sample[] | null = null;
  const gone = new AbortController();
  const curve = new Versioned(async () => {
    const piece = await ask<CurvePiece>(`curve?generation=${generation}&from=${points.length}`, gone.signal);
    points = points.slice(0, piece.from).concat(piece.points);
    generation = piece.generation;
    draw();
  });
  const written = new Versioned(async () => {
    texts = await ask<Sample[]>('texts', gone.signal);
    showTexts();
  });
  const compared = new Versioned(async () => {
    baselines = await ask<Baseline[]>('baselines', gone.signal);
    draw();
    showTexts();
  });

  function draw(): void {
    if (generation < 0) return;
    chart.element.hidden = points.length === 0;
    refill(noCurve, points.length === 0 ? empty(unlogged() ? 'No log of the run is here, and the ledger does not hold the loss.' : 'The loss is measured before the first round and after each.') : logEndsEarly(points));
    if (points.length === 0) return;
    const [at, of] = [axis === 'tokens' ? 1 : 0, unit === 'bits' ? 3 : 2] as const;
    const perToken = points[0]![3] / points[0]![2];
    const own = points.map((point): Pair => [point[at], point[of]]);
    const others = baselines.map((baseline) => baseline.points.map(([tokens, loss]): Pair => [axis === 'tokens' ? tokens : roundAt(points, tokens, run), unit === 'bits' ? loss * perToken : loss]));
    const end = own[own.length - 1]![0];
    // Where the run has not come to yet the baselines have points of their own.
    const xs = [...own.map(([x]) => x), ...[...new Set(others.flat().map(([x]) => x).filter((x) => x > end))].sort((a, b) => a - b)];
    const last = points[points.length - 1]!;
    chart.show(
      axis === 'tokens' ? 'tokens trained on' : 'round', unit === 'bits' ? 'bits/byte' : 'nats/token',
      [{ label: 'this run', color: '--accent', points: points.length < 40 }, ...baselines.map((baseline, i) => ({ label: baseline.name, color: `--line-${i % 5}`, width: 1.5 }))],
      [xs, [...own.map(([, y]) => y), ...xs.slice(own.length).map(() => null)], ...others.map((line) => xs.map((x) => between(line, x)))],
      `From ${points[0]![of].toFixed(3)} to ${last[of].toFixed(3)} ${unit === 'bits' ? 'bits per byte' : 'nats per token'} after ${last[0]} rounds.${baselines.map((b) => ` ${b.name}: ${fixed(unit === 'bits' ? b.bitsPerByteFinal : b.lossFinal, 3)}.`).join('')}`,
    );
  }

  function showTexts(): void {
    if (!texts) return;
    const [start, now] = [texts[0], texts.length > 1 ? texts[texts.length - 1] : undefined];
    const central = baselines.filter((baseline) => baseline.sample).sort((a, b) => (a.lossFinal ?? Infinity) - (b.lossFinal ?? Infinity))[0];
    refill(
      samples,
      start || central ? h('div', { class: 'side' },
        start && quote(start.round < 0 ? 'Before training' : `After ${round(start.round)}`, start.text),
        now ? quote(`After ${round(now.round)}`, now.text) : !unlogged() && empty('The next sample comes with the first settlement.'),
        central && quote(term('The baseline', `${central.name}: the same model trained in one place, on as many tokens.`), central.sample!))
        : unlogged() ? h('p', { class: 'empty' }, 'No log of the run is here. What a checkpoint writes can be heard in the ', h('a', { href: '#/chat' }, 'chat'), '.') : empty('The first sample is written before the first round.'),
    );
  }

  const update = (): void => {
    const now = live.now;
    if (!now) return;
    refill(tiles, ...tilesOf(now, run));
    refill(clock, ...clockOf(now));
    refill(notes, now.notes.length ? noteList(now.notes) : empty('Nothing to report.'));
    curve.update(now.curveGeneration, now.curvePoints, unlogged() ? 0 : 1);
    written.update(now.texts, unlogged() ? 0 : 1);
    compared.update(now.baselines);
  };
  const ticking = setInterval(() => live.now && !document.hidden && refill(clock, ...clockOf(live.now)), 500);
  chart.element.hidden = true;
  return { update, leave: () => { gone.abort(); clearInterval(ticking); chart.destroy(); } };
};

type Pair = [number, number];

function unlogged(): boolean {
  return live.now !== null && live.now.caughtUp && !live.now.logged;
}

function logEndsEarly(points: Point[]): HTMLElement | false {
  const [now, last] = [live.now, points[points.length - 1]![0]];
  const closed = now ? now.round + (now.finished ? 1 : 0) : 0;
  return now !== null && now.caughtUp && closed > last + 2 && empty(`The log says nothing of the loss after round ${count(last)}; the ledger has come to round ${count(closed)}.`);
}

/** After how many rounds the run had seen so many tokens; beyond what it has seen, as the rules provide. */
function roundAt(points: Point[], tokens: number, run: Run): number {
  const after = points.findIndex((point) => point[1] >= tokens);
  if (after === 0) return points[0]![0];
  if (after < 0) {
    const last = points[points.length - 1]!;
    return last[0] + (tokens - last[1]) / (run.peersMax * run.innerSteps * run.batch * run.context);
  }

  const [a, b] = [points[after - 1]!, points[after]!];
  return a[0] + ((b[0] - a[0]) * (tokens - a[1])) / (b[1] - a[1]);
}

/** A line's height at a place, straight between its points; null beyond its ends. */
function between(line: Pair[], x: number): number | null {
  const after = line.findIndex((point) => point[0] >= x);
  if (after < 0 || (after === 0 && line[0]![0] > x)) return null;
  const [a, b] = [line[Math.max(0, after - 1)]!, line[after]!];
  return b[0] === a[0] ? b[1] : a[1] + ((b[1] - a[1]) * (x - a[0])) / (b[0] - a[0]);
}

/** How the run ends, where its last rounds train on an annealing part of the data. */
function endOf(now: Now, run: Run): string {
  return run.annealSamples === 0 ? '' : now.annealing ? ' · annealing' : ` · anneals after ${count(run.annealFrom)} steps`;
}

function tilesOf(now: Now, run: Run): HTMLElement[] {
  const better = now.loss !== undefined && now.lossFirst ? 1 - now.loss / now.lossFirst : undefined;
  return [
    h('div', { class: 'tile hero' }, h('div', { class: 'label' }, 'Held-out loss'), h('div', { class: 'value' }, fixed(now.loss, 4), now.loss !== undefined && h('small', {}, ' nats/token')), h('div', { class: 'note' }, now.loss === undefined ? (unlogged() ? 'no log tells' : 'not measured yet') : `${fixed(now.bitsPerByte, 3)} bits/byte · ${percent(better)} below the start`)),
    tile('Round', h('span', {}, count(Math.min(now.round + 1, now.rounds)), h('small', {}, ` of ${count(now.rounds)}`)), `${now.roundSeconds ? `${seconds(now.roundSeconds)} each` : now.finished ? 'the run is over' : 'the first one'}${endOf(now, run)}`),
    tile(term('Trained on', 'Tokens of all updates that were accepted so far.'), h('span', {}, short(now.tokens), h('small', {}, ' tokens')), now.tokensPerSecond && `${count(now.tokensPerSecond)} tokens/s`),
    tile('Peers present', h('span', {}, count(now.peersPresent), h('small', {}, ` of ${count(run.peersMax)} places`)), `${count(now.roster)} in this round · ${plural(now.validatorsPresent, 'validator', 'validators')}`),
    tile(term('An update', 'What a peer sends in a round, against the parameters in fp32.'), bytes(now.bytesPerUpdate), now.compression ? `${now.compression.toFixed(0)}× smaller · ${bytes(now.bytes)} in all` : `${bytes(now.bytes)} in all`),
    tile(term('Busy', 'The part of the last rounds for which peers computed, and did not wait for others.'), percent(now.utilisation, 0), now.utilisation === undefined ? 'no log tells' : 'of the last rounds'),
  ];
}

function quote(whose: Child, text: string): HTMLElement {
  return h('figure', {}, h('figcaption', {}, whose), h('blockquote', {}, text));
}

function choice(label: string, options: [string, string][], chosen: (value: string) => void): HTMLElement {
  const group = h('div', { class: 'choice', role: 'group', 'aria-label': label });
  for (const [value, name] of options) {
    group.append(h('button', { type: 'button', 'aria-pressed': value === options[0]![0] ? 'true' : 'false', click: (event) => {
      for (const button of group.querySelectorAll('button')) button.setAttribute('aria-pressed', button === event.currentTarget ? 'true' : 'false');
      chosen(value);
    } }, name));
  }

  return group;
}

function clockOf(now: Now): Node[] {
  const current = now.stages.findIndex((stage) => stage.name === now.stage);
  const waited = now.stages[current]?.began ? Math.max(0, (live.time() - new Date(now.stages[current]!.began!).getTime()) / 1000) : undefined;
  const whom = now.finished ? 'The run is over.' : now.paused ? 'The run is paused.'
    : now.whomCount === 0 ? 'Nobody is waited for.'
    : `Waits for ${now.whom.slice(0, 4).join(', ')}${now.whomCount > 4 ? ` and ${now.whomCount - Math.min(4, now.whom.length)} more` : ''}.`;
  return [
    h('div', { class: 'clock' }, ring(now, current), h('ol', { class: 'stages' }, ...now.stages.map((stage, i) => {
      const [name, explanation] = stageWords(stage.name);
      const state = now.finished || i < current ? 'done' : i === current ? 'on' : 'next';
      const length = i === current && !now.finished ? waited : stage.seconds;
      return h('li', { class: state, 'aria-current': state === 'on' ? 'step' : null }, term(name, explanation), h('span', { class: 'num' }, state === 'next' ? '' : `${stage.done}/${stage.of}`), h('span', { class: 'num' }, state === 'next' ? '' : seconds(length)));
    }))),
    h('p', { class: 'dim small' }, whom),
    lastRound(now.before, now.round),
    h('p', { class: now.agreement ? 'small' : 'small bad' }, now.agreement
      ? term(`${now.base ? 'All replicas have the same bits' : 'No base has been posted yet'}`, 'Everybody who posted the digest of its parameters after a round posted the same one, in every round so far.')
      : 'REPLICAS DIFFER: see the rounds', now.base ? h('span', { class: 'dim' }, ' ', digest(now.base)) : null),
  ];
}

function lastRound(stages: StageState[], current: number): HTMLElement {
  const total = stages.reduce((sum, stage) => sum + (stage.seconds ?? 0), 0);
  if (total <= 0) return h('div', {});
  return h('div', { class: 'last' }, h('div', { class: 'dim small' }, `${round(current - 1)} took ${seconds(total)}: ${stages.filter((s) => s.seconds !== undefined).map((s) => `${s.name.toLowerCase()} ${seconds(s.seconds)}`).join(', ')}`), stageBar(stages, 'Parts of the last round'));
}

// The round as a ring: each stage an arc as long as it took last time.
function ring(now: Now, current: number): SVGElement {
  const [size, radius, gap] = [132, 54, 3];
  const known = now.stages.map((stage) => now.before.find((old) => old.name === stage.name)?.seconds ?? 0);
  const total = known.reduce((sum, value) => sum + value, 0);
  const least = 0.08;
  const raw = known.map((value) => (total > 0 ? Math.max(least, value / total) : 1));
  const sum = raw.reduce((a, b) => a + b, 0);
  const length = 2 * Math.PI * radius;
  let at = 0;
  const arcs = raw.map((value, i) => {
    const part = (value / sum) * length;
    const arc = svg('circle', {
      cx: size / 2, cy: size / 2, r: radius, class: `arc s${i} ${now.finished || i < current ? 'done' : i === current ? 'on' : 'next'}`,
      'stroke-dasharray': `${Math.max(1, part - gap)} ${length}`, 'stroke-dashoffset': -at, transform: `rotate(-90 ${size / 2} ${size / 2})`,
    });
    at += part;
    return arc;
  });
  return svg(
    'svg', { viewBox: `0 0 ${size} ${size}`, class: 'ring', role: 'img', 'aria-label': `Round ${now.round + 1} of ${now.rounds}, stage ${now.stage}` }, ...arcs,
    svg('text', { x: size / 2, y: size / 2 + 2, class: 'ring-number' }, count(Math.min(now.round + 1, now.rounds))), svg('text', { x: size / 2, y: size / 2 + 20, class: 'ring-word' }, now.finished ? 'over' : now.stage.toLowerCase()),
  );
}
