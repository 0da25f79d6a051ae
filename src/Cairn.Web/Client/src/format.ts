// Numbers with their units, the same everywhere. A number and its unit stay on one line.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const none = '–';

export function count(value: number | undefined | null): string {
  return value === undefined || value === null ? none : whole.format(value);
}

export function fixed(value: number | undefined | null, digits: number, unit = ''): string {
  return value === undefined || value === null ? none : value.toFixed(digits).replace(/^-(?=0\.?0*$)/, '').replace('-', '−') + unit;
}

export function signed(value: number | undefined | null, digits: number): string {
  return value === undefined || value === null ? none : (value > 0 ? '+' : value < 0 ? '−' : '') + Math.abs(value).toFixed(digits);
}

export function percent(value: number | undefined | null, digits = 1): string {
  return value === undefined || value === null ? none : `${(100 * value).toFixed(digits)}\u00a0%`;
}

/** 12,345 → 12.3 K; for large numbers that nobody reads to the last digit. */
export function short(value: number | undefined | null): string {
  if (value === undefined || value === null) return none;
  for (const [size, unit] of [[1e12, 'T'], [1e9, 'bn'], [1e6, 'M'], [1e4, 'K']] as const) if (Math.abs(value) >= size) return `${(value / (unit === 'K' ? 1e3 : size)).toFixed(value / size >= 100 ? 0 : unit === 'K' ? 1 : 2)}\u00a0${unit}`;
  return whole.format(value);
}

export function bytes(value: number | undefined | null): string {
  if (value === undefined || value === null) return none;
  for (const [size, unit] of [[2 ** 40, 'TiB'], [2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB']] as const) if (value >= size) return `${(value / size).toFixed(1)}\u00a0${unit}`;
  return `${whole.format(value)}\u00a0B`;
}

export function seconds(value: number | undefined | null): string {
  if (value === undefined || value === null) return none;
  if (value < 0.0995) return `${Math.max(0, value * 1000).toFixed(0)}\u00a0ms`;
  if (value < 9.95) return `${value.toFixed(1)}\u00a0s`;
  if (value < 120) return `${value.toFixed(0)}\u00a0s`;
  if (value < 7200) return `${(value / 60).toFixed(0)}\u00a0min`;
  if (value < 172800) return `${(value / 3600).toFixed(1)}\u00a0h`;
  return `${(value / 86400).toFixed(1)}\u00a0days`;
}

export function time(value: string | undefined | null): string {
  return value ? new Date(value).toLocaleTimeString('en-GB') : none;
}

export function round(value: number): string {
  return value < 0 ? 'the start' : `round ${whole.format(value + 1)}`;
}

export function plural(value: number, one: string, many: string): string {
  return `${whole.format(value)}\u00a0${value === 1 ? one : many}`;
}
