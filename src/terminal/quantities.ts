/**
 * Sizes, rates, times and shares as people read them, and sizes as people write them. Pure.
 */
import { terminalLimits } from '../protocol/limits.js';

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB', 'PB'] as const;

/** `812 bytes`, `1.5 kB`, `2.15 GB`: powers of 1000 as disks and file managers count, three digits. */
export function formatSize(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.5 would be rounded to 1000 of the smaller unit.
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  if (unit === 0) return bytes === 1 ? '1 byte' : `${bytes} bytes`;
  const digits = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`;
}

/** How a size is written; for error texts. */
export const SIZE_FORM = 'such as 500K, 10M or 1.5G (powers of 1000; KiB, MiB and GiB are powers of 1024)';

/**
 * `10M`, `1.5G`, `500 kB`, `64KiB`, `1000`: powers of 1000 as in {@link formatSize}, of 1024 with an `i`; case does not matter.
 *
 * @returns Whole bytes, more than 0, or undefined for anything else.
 */
export function parseSize(text: string): number | undefined {
  const parts = /^(?<digits>\d{1,16}(?:\.\d{1,6})?)\s*(?:(?<unit>[kmgtp])(?<binary>i?)b?|b|bytes?)?$/iu.exec(text)?.groups;
  if (parts === undefined) return undefined;
  const power = parts['unit'] === undefined ? 0 : 'kmgtp'.indexOf(parts['unit'].toLowerCase()) + 1;
  const bytes = Math.round(Number(parts['digits']) * (parts['binary'] ? 1024 : 1000) ** power);
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Bytes a second, as {@link parseSize} with `/s` allowed behind; undefined also where it is too little to be meant. */
export function parseRate(text: string): number | undefined {
  const bytes = parseSize(text.replace(/\/s$/iu, ''));
  return bytes !== undefined && bytes >= terminalLimits.leastRate ? bytes : undefined;
}

/** How a time is written; for error texts. */
export const DURATION_FORM = 'a time such as 30s, 10m, 1h30m or 2d';

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30s`, `10m`, `1h30m`, `0.5h`, `2d`, `500ms`; a number alone is seconds. Case does not matter. @returns Whole milliseconds, more than 0, or undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const written = /^\d+(?:\.\d+)?$/u.test(text) ? `${text}s` : text.toLowerCase();
  if (!/^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|[smhd]))+$/u.test(written)) return undefined;
  let ms = 0;
  for (const [, digits, unit] of written.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/gu)) ms += Number(digits) * (UNIT_MS[unit ?? ''] ?? 0);
  const whole = Math.round(ms);
  return whole > 0 && Number.isSafeInteger(whole) ? whole : undefined;
}

/** `1,234`. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(?:\d{3})+$)/gu, ',');
}

/** Bytes a second. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatSize(Math.round(bytesPerSecond))}/s`;
}

/** `0.4 s`, `12 s`, `3:05`, `2:03:09`. */
export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return '?';
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const pad = (value: number) => String(value).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours > 0 ? `${hours}:${pad(minutes)}:${pad(rest)}` : `${minutes}:${pad(rest)}`;
}

/** A time as it was chosen: `1 s`, `0.1 s`, `90 s`, `10 min`, `2 h`, otherwise as in {@link formatDuration}. */
export function formatTimeLimit(ms: number): string {
  if (ms >= 3_600_000 && ms % 3_600_000 === 0) return `${ms / 3_600_000} h`;
  if (ms >= 60_000 && ms % 60_000 === 0) return `${ms / 60_000} min`;
  return ms < 100_000 ? `${ms / 1000} s` : formatDuration(ms / 1000);
}

/** Whole percent, rounded down, so that 100 means all. */
export function percent(part: number, whole: number): number {
  return whole <= 0 ? 100 : Math.max(0, Math.min(100, Math.floor((part / whole) * 100)));
}

/** `[#####-----]`, `cells` wide between the brackets. */
export function bar(part: number, whole: number, cells: number): string {
  const full = Math.floor((percent(part, whole) * cells) / 100);
  return `[${'#'.repeat(full)}${'-'.repeat(cells - full)}]`;
}
