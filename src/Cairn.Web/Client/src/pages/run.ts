// Where the run stands: the curve, the round clock, and what the model writes.

import { ask, type Baseline, type CurvePiece, type Now, type Run, type Sample, type StageState } from '../api';
import { Chart } from '../chart';
import { card, empty, h, noteList, refill, svg, term, tile } from '../dom';
import { bytes, count, fixed, none, percent, plural, round, seconds, short } from '../format';
import { live } from '../live';
import type { MakePage } from '../main';

const words: Record<string, [string, string]> = {
  Commit: ['Train', 'Each peer trains on its samples, puts its encrypted update in the store, and promises exactly that one on the ledger.'],
  Reveal: ['Reveal', 'Peers give the keys of their updates, when all promises are in: nobody could copy. Validators reveal the randomness that judges.'],
  Judge: ['Judge', 'Validators fetch, decrypt and check every update, try some of them out, and post their verdicts. The last one closes the list.'],
  Apply: ['Apply', 'Everybody applies exactly the updates of the closed list and posts the digest of the result: all must be the same.'],
  Settle: ['Settle', 'Validators post who earned what, and the digest of a checkpoint.'],
};

export const runPage: MakePage = (place, _rest, run) => {
  const tiles = h('div', { class: 'tiles' });
  const chart = new Chart('Held-out loss', 300);
  const noCurve = h('div', {});
  const clock = h('div', {});
  const samples = h('div', {});
  const notes = h('div', {});
  let [axis, unit] = ['round', 'loss'];
  const choices = h('div', { class: 'choices' }, choice('Over', [['round', 'rounds'], ['tokens', 'tokens']], (value) => { axis = value; draw(); }), choice('In', [['loss', 'nats/token'], ['bits', 'bits/byte']], (value) => { unit = value; draw(); }));
  place.append(
    h('h1', { class: 'unseen' }, 'Run'), tiles,
    h('div', { class: 'columns' }, h('section', { class: 'card grow' }, h('div', { class: 'row' }, h('h2', {}, term('Held-out loss', 'How well the model predicts text that nobody trains on. Nats per token: lower is better. Bits per byte do not depend on the tokenizer.')), choices), noCurve, chart.element), h('section', { class: 'card clock-card' }, h('h2', {}, 'Round clock'), clock)),
    card('What the model writes', samples), card('Lately', notes),
  );

  let points: CurvePiece['points'] = [];
  let baselines: Baseline[] = [];
  let [generation, texts, asking] = [-1, -1, false];

  async function fetchCurve(now: Now): Promise<void> {
    if (asking || (now.curveGeneration === generation && now.curvePoints === points.length)) return;
    asking = true;
    try {
      const piece = await ask<CurvePiece>(`curve?generation=${generation}&from=${points.length}`);
      points = piece.from === 0 ? piece.points : points.slice(0, piece.from).concat(piece.points);
      generation = piece.generation;
      baselines = piece.baselines ?? baselines;
      draw();
    } finally {
      asking = false;
    }
  }

  function draw(): void {
    chart.element.hidden = points.length === 0;
    refill(noCurve, points.length === 0 && empty('The loss is measured before the first round and after each.'));
    if (points.length === 0) return;
    const [at, of] = [axis === 'tokens' ? 1 : 0, unit === 'bits' ? 3 : 2];
    const perToken = points[0]![3] / points[0]![2];
    const lines = [{ label: `this run`, color: '--accent', points: points.length < 40 }];
    const xs = new Map<number, (number | null)[]>();
    for (const point of points) xs.set(point[at], [point[of], ...baselines.map(() => null)]);
    // Baselines are known over tokens.
    if (axis === 'tokens') {
      baselines.forEach((baseline, i) => {
        lines.push({ label: baseline.name, color: `--line-${i % 4}`, points: false });
        for (const [tokens, loss] of baseline.points) {
          const row = xs.get(tokens) ?? [null, ...baselines.map(() => null)];
          row[i + 1] = unit === 'bits' ? loss * perToken : loss;
          xs.set(tokens, row);
        }
      });
    }

    const sorted = [...xs.keys()].sort((a, b) => a - b);
    const last = points[points.length - 1]!;
    chart.show(
      axis === 'tokens' ? 'tokens trained on' : 'round', unit === 'bits' ? 'bits/byte' : 'nats/token', lines,
      [sorted, ...lines.map((_, i) => sorted.map((x) => xs.get(x)![i]))],
      `From ${points[0]![of].toFixed(3)} to ${last[of].toFixed(3)} ${unit === 'bits' ? 'bits per byte' : 'nats per token'} after ${last[0]} rounds.`,
    );
  }

  async function fetchTexts(now: Now): Promise<void> {
    if (texts === now.texts) return;
    texts = now.texts;
    showTexts(await ask<Sample[]>('texts'));
  }

  function showTexts(list: Sample[]): void {
    const [start, now] = [list[0], list.length > 1 ? list[list.length - 1] : undefined];
    refill(
      samples,
      start ? h('div', { class: 'pair' }, quote(start), now ? quote(now) : empty('The next sample comes with the first settlement.'))
        : empty('The first sample is written before the first round.'),
    );
  }

  const update = (): void => {
    const now = live.now;
    if (!now) return;
    refill(tiles, ...tilesOf(now, run));
    refill(clock, ...clockOf(now));
    refill(notes, now.notes.length ? noteList(now.notes) : empty('Nothing to report.'));
    void fetchCurve(now);
    void fetchTexts(now);
  };
  const theme = new MutationObserver(draw);
  theme.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  const ticking = setInterval(() => live.now && refill(clock, ...clockOf(live.now)), 500);
  showTexts([]);
  draw();
  return { update, leave: () => { clearInterval(ticking); theme.disconnect(); chart.destroy(); } };
};

function tilesOf(now: Now, run: Run): HTMLElement[] {
  const better = now.loss !== undefined && now.lossFirst ? 1 - now.loss / now.lossFirst : undefined;
  return [
    h('div', { class: 'tile hero' }, h('div', { class: 'label' }, 'Held-out loss'), h('div', { class: 'value' }, fixed(now.loss, 4), h('small', {}, ' nats/token')), h('div', { class: 'note' }, now.loss === undefined ? 'not measured yet' : `${fixed(now.bitsPerByte, 3)} bits/byte · ${percent(better)} below the start`)),
    tile('Round', h('span', {}, count(Math.min(now.round + 1, now.rounds)), h('small', {}, ` of ${count(now.rounds)}`)), now.finished ? 'the run is over' : now.roundSeconds ? `${seconds(now.roundSeconds)} each` : 'the first one'),
    tile(term('Trained on', 'Tokens of all updates that were accepted so far.'), h('span', {}, short(now.tokens), h('small', {}, ' tokens')), now.tokensPerSecond ? `${count(now.tokensPerSecond)} tokens/s` : none),
    tile('Peers present', h('span', {}, count(now.peersPresent), h('small', {}, ` of ${count(run.peersMax)} places`)), `${count(now.roster)} in this round · ${plural(now.validatorsPresent, 'validator', 'validators')}`),
    tile(term('An update', 'What a peer sends in a round, against the parameters in fp32.'), bytes(now.bytesPerUpdate), now.compression ? `${now.compression.toFixed(0)}× smaller · ${bytes(now.bytes)} in all` : `${bytes(now.bytes)} in all`),
    tile(term('Busy', 'The part of the last rounds for which peers computed, and did not wait for others.'), percent(now.utilisation, 0), now.agreement ? 'all replicas the same bits' : 'REPLICAS DIFFER'),
  ];
}

function quote(sample: Sample): HTMLElement {
  return h('figure', {}, h('figcaption', {}, sample.round < 0 ? 'Before training' : `After ${round(sample.round)}`), h('blockquote', {}, sample.text));
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
      const [name, explanation] = words[stage.name] ?? [stage.name, ''];
      const state = now.finished || i < current ? 'done' : i === current ? 'on' : 'next';
      const length = i === current && !now.finished ? waited : stage.seconds;
      return h('li', { class: state, 'aria-current': state === 'on' ? 'step' : null }, term(name, explanation), h('span', { class: 'num' }, state === 'next' ? '' : `${stage.done}/${stage.of}`), h('span', { class: 'num' }, state === 'next' ? '' : seconds(length)));
    }))),
    h('p', { class: 'dim small' }, whom),
    lastRound(now.before, now.round),
  ];
}

function lastRound(stages: StageState[], current: number): HTMLElement {
  const total = stages.reduce((sum, stage) => sum + (stage.seconds ?? 0), 0);
  if (total <= 0) return h('div', {});
  let at = 0;
  const parts = stages.map((stage, i) => {
    const width = (100 * (stage.seconds ?? 0)) / total;
    const part = svg('rect', { x: `${at}%`, width: `${Math.max(0, width - 0.4)}%`, height: 10, y: 0, rx: 2, class: `part s${i}` }, svg('title', {}, `${words[stage.name]?.[0] ?? stage.name}: ${seconds(stage.seconds)}`));
    at += width;
    return part;
  });
  return h('div', { class: 'last' }, h('div', { class: 'dim small' }, `${round(current - 1)} took ${seconds(total)}: ${stages.filter((s) => s.seconds !== undefined).map((s) => `${s.name.toLowerCase()} ${seconds(s.seconds)}`).join(', ')}`), svg('svg', { width: '100%', height: 10, role: 'img', 'aria-label': 'Parts of the last round' }, ...parts));
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
