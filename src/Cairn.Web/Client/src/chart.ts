// Curves that follow the theme and the width of the page.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line { label: string; color: string; points?: boolean; width?: number }

interface Shown { x: string; y: string; lines: Line[]; data: uPlot.AlignedData; digits: number }

export class Chart {
  readonly element = document.createElement('div');
  private plot: uPlot | null = null;
  private shown: Shown | null = null;
  private key = '';
  private readonly observer = new ResizeObserver(() => this.resize());
  private readonly stopWatching = watchTheme(() => this.draw());

  constructor(private readonly label: string, private readonly height: number) {
    this.element.className = 'chart';
    this.element.setAttribute('role', 'img');
    this.observer.observe(this.element);
  }

  /** Shows lines; says in words what they show. */
  show(x: string, y: string, lines: Line[], data: (number | null | undefined)[][], words: string, digits = 3): void {
    this.element.setAttribute('aria-label', `${this.label}. ${words}`);
    this.shown = { x, y, lines, data: data as uPlot.AlignedData, digits };
    this.draw();
  }

  destroy(): void {
    this.stopWatching();
    this.observer.disconnect();
    this.plot?.destroy();
    this.plot = this.shown = null;
  }

  private draw(): void {
    if (!this.shown) return;
    const { x, y, lines, data } = this.shown;
    const key = JSON.stringify([x, y, lines, themeName()]);
    if (this.plot && key === this.key) {
      this.plot.setData(data);
      return;
    }

    this.key = key;
    this.plot?.destroy();
    this.plot = new uPlot(this.options(this.shown), data, this.element);
  }

  private resize(): void {
    const width = this.element.clientWidth;
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.height });
  }

  private options({ x, y, lines, digits }: Shown): uPlot.Options {
    const ink = color('--dim');
    const grid = { stroke: color('--grid'), width: 1 };
    const axis = { stroke: ink, grid, ticks: { show: false }, font: '12px system-ui, sans-serif', labelFont: '12px system-ui, sans-serif' };
    const short = (value: number) => (Math.abs(value) >= 1e6 ? `${+(value / 1e6).toFixed(1)}M` : Math.abs(value) >= 1e4 ? `${+(value / 1e3).toFixed(0)}K` : `${+value.toFixed(2)}`);
    const steps = [1, 2, 5].flatMap((step) => Array.from({ length: 12 }, (_, power) => step * 10 ** power)).sort((a, b) => a - b);
    return {
      width: Math.max(200, this.element.clientWidth || 600),
      height: this.height,
      scales: { x: { time: false } },
      cursor: { y: false, points: { size: 7 } },
      legend: { live: true },
      axes: [
        { ...axis, label: x, labelSize: 22, size: 34, incrs: steps, values: (_, splits) => splits.map(short) },
        { ...axis, label: y, labelSize: 22, size: 48, values: (_, splits) => splits.map((v) => `${+v.toFixed(digits)}`) },
      ],
      series: [
        { label: x, value: (_, v) => (v === null || v === undefined ? '–' : Math.round(v).toLocaleString('en')) },
        ...lines.map((line) => ({
          label: line.label,
          stroke: color(line.color),
          width: line.width ?? 2,
          points: { show: line.points ?? false, size: 6, ...(line.points ? { fill: color(line.color) } : {}) },
          spanGaps: true,
          value: (_: uPlot, v: number | null) => (v === null || v === undefined ? '–' : v.toFixed(digits + 1)),
        })),
      ],
    };
  }
}

export function themeName(): 'dark' | 'light' {
  const chosen = document.documentElement.dataset['theme'];
  return chosen === 'dark' || chosen === 'light' ? chosen : darkByNature.matches ? 'dark' : 'light';
}

/** Calls when the theme changes, by the button or by the system; gives what ends that. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  darkByNature.addEventListener('change', changed);
  return () => {
    observer.disconnect();
    darkByNature.removeEventListener('change', changed);
  };
}

const darkByNature = matchMedia('(prefers-color-scheme: dark)');

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || '#888';
}
