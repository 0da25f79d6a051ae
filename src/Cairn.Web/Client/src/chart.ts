// Curves that follow the theme and the width of the page.

import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line { label: string; color: string; dash?: number[]; points?: boolean; width?: number }

export class Chart {
  readonly element = document.createElement('div');
  private plot: uPlot | null = null;
  private data: uPlot.AlignedData = [[]];
  private key = '';
  private readonly observer = new ResizeObserver(() => this.resize());

  constructor(private readonly label: string, private readonly height: number) {
    this.element.className = 'chart';
    this.element.setAttribute('role', 'img');
    this.observer.observe(this.element);
  }

  /** Shows lines; says in words what they show. */
  show(x: string, y: string, lines: Line[], data: (number | null | undefined)[][], words: string, digits = 3): void {
    this.element.setAttribute('aria-label', `${this.label}. ${words}`);
    this.data = data as uPlot.AlignedData;
    const key = JSON.stringify([x, y, lines, themeName()]);
    if (this.plot && key === this.key) {
      this.plot.setData(this.data);
      return;
    }

    this.key = key;
    this.plot?.destroy();
    this.plot = new uPlot(this.options(x, y, lines, digits), this.data, this.element);
  }

  destroy(): void {
    this.observer.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  private resize(): void {
    const width = this.element.clientWidth;
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height: this.height });
  }

  private options(x: string, y: string, lines: Line[], digits: number): uPlot.Options {
    const ink = color('--dim');
    const grid = { stroke: color('--grid'), width: 1 };
    const axis = { stroke: ink, grid, ticks: { show: false }, font: '12px system-ui, sans-serif', labelFont: '12px system-ui, sans-serif' };
    const short = (value: number) => (Math.abs(value) >= 1e6 ? `${+(value / 1e6).toFixed(1)}M` : Math.abs(value) >= 1e4 ? `${+(value / 1e3).toFixed(0)}K` : `${+value.toFixed(2)}`);
    return {
      width: Math.max(200, this.element.clientWidth || 600),
      height: this.height,
      scales: { x: { time: false } },
      cursor: { y: false, points: { size: 7 } },
      legend: { live: true },
      axes: [
        { ...axis, label: x, labelSize: 22, size: 34, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 1e8, 1e9, 1e10, 1e11], values: (_, splits) => splits.map(short) },
        { ...axis, label: y, labelSize: 22, size: 48, values: (_, splits) => splits.map((v) => `${+v.toFixed(digits)}`) },
      ],
      series: [
        { label: x, value: (_, v) => (v === null || v === undefined ? '–' : Math.round(v).toLocaleString('en')) },
        ...lines.map((line) => ({
          label: line.label,
          stroke: color(line.color),
          width: line.width ?? 2,
          ...(line.dash ? { dash: line.dash } : {}),
          points: { show: line.points ?? false, size: 6, ...(line.points ? { fill: color(line.color) } : {}) },
          spanGaps: true,
          value: (_: uPlot, v: number | null) => (v === null || v === undefined ? '–' : v.toFixed(4)),
        })),
      ],
    };
  }
}

export function themeName(): string {
  return document.documentElement.dataset['theme'] ?? (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light');
}

function color(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim() || '#888';
}
