/**
 * Where an option may come from and which one counts: flag before environment before configuration file before what was
 * remembered. Pure: what each source holds is given to it; whether a value will do is judged by each program's options.ts.
 */
import { P2pError } from '../protocol/errors.js';
import { flagOf, variableOf } from '../protocol/option-shape.js';
import type { ProgramShape } from '../protocol/option-shape.js';
import { visibleLine } from '../protocol/text.js';

/** What one source gives, by the keys of the table and written as on the command line. */
export interface OptionSource {
  readonly values: Readonly<Record<string, unknown>>;
  /** How a message calls the option `key` of this source. */
  called(key: string): string;
}

export interface MergedOptions {
  readonly values: Readonly<Record<string, unknown>>;
  /** How messages call each that was given. */
  readonly names: Readonly<Record<string, string>>;
}

/** @param sources The strongest first. */
export function mergeOptions(program: ProgramShape, sources: readonly OptionSource[]): MergedOptions {
  const values: Record<string, unknown> = {};
  const names: Record<string, string> = {};
  for (const key of Object.keys(program.options)) {
    const source = sources.find((one, rank) => one.values[key] !== undefined && counts(program, key, sources, rank));
    if (source === undefined) continue;
    values[key] = source.values[key];
    names[key] = source.called(key);
  }
  return { values, names };
}

/** A port belongs to the host beside it: a stronger source with another host takes it out of play. */
function counts(program: ProgramShape, key: string, sources: readonly OptionSource[], rank: number): boolean {
  const owner = program.options[key]?.belongsTo;
  if (owner === undefined) return true;
  const chosen = sources.findIndex((one) => one.values[owner] !== undefined);
  const beside = sources[rank]?.values[owner];
  return chosen === -1 || rank <= chosen || beside === undefined || beside === sources[chosen]?.values[owner];
}

export function flagSource(program: ProgramShape, values: OptionSource['values']): OptionSource {
  return { values, called: (key) => called(program, key) };
}

/**
 * An empty variable counts as none.
 *
 * @throws P2pError `usage` for a switch that is neither on nor off.
 */
export function environmentSource(program: ProgramShape, env: Readonly<Record<string, string | undefined>>): OptionSource {
  const values: Record<string, unknown> = {};
  for (const [key, { kind }] of Object.entries(program.options)) {
    const variable = variableOf(program, key);
    const text = variable === undefined ? undefined : env[variable];
    if (variable === undefined || text === undefined || text === '') continue;
    if (kind === 'switch') values[key] = switchValue(program, variable, text);
    else if (kind === 'commands') values[key] = text.split('\n').filter((line) => line.trim() !== '');
    else values[key] = text;
  }
  return { values, called: (key) => variableOf(program, key) ?? called(program, key) };
}

function called(program: ProgramShape, key: string): string {
  const option = program.options[key];
  return option === undefined ? key : flagOf(key, option);
}

function switchValue({ name }: ProgramShape, variable: string, text: string): boolean {
  if (/^(?:1|true|yes|on)$/iu.test(text)) return true;
  if (/^(?:0|false|no|off)$/iu.test(text)) return false;
  throw new P2pError('usage', `${variable} takes 1 or 0. "${visibleLine(text.slice(0, 80))}" will not do. ${name} --help shows all options.`);
}
