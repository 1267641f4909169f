/**
 * The server's log: JSON lines for programs, one readable line each for a person at a terminal; always stderr.
 *
 * Owns form and rate. What may be logged: never a password, proof, key or token; addresses of clients only at `debug`.
 */
import { pino, type DestinationStream, type Logger } from 'pino';
import * as v from 'valibot';
import { visibleLine } from '../protocol/text.js';
import type { LogLevel } from './option-table.js';

export type Log = Logger;

export interface LogOptions {
  readonly level: LogLevel;
  /** `text` for a person, `json` for a program. */
  readonly form: 'text' | 'json';
  readonly write: (line: string) => void;
}

export function createLog({ level, form, write }: LogOptions): Log {
  const destination: DestinationStream = { write: form === 'json' ? write : (line) => write(`${textLine(line)}\n`) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

const Line = v.looseObject({ level: v.number(), time: v.string(), msg: v.optional(v.string(), '') });

/** `2026-01-31 12:00:00 info  logged in  user=alice`; whatever came from outside is made visible (HOSTILE 23). */
export function textLine(json: string): string {
  const { level, time, msg, ...fields } = v.parse(Line, JSON.parse(json));
  const name = pino.levels.labels[level] ?? String(level);
  const details = Object.entries(fields).map(([key, value]) => `  ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return visibleLine(`${time.slice(0, 19).replace('T', ' ')} ${name.padEnd(5)} ${msg}${details.join('')}`);
}
