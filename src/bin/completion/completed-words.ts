/**
 * What a shell may offer for a program, from its table of options: the same for every shell. Pure. How each of them is told
 * stands in bash.ts, zsh.ts and fish.ts.
 *
 * Known servers are read by the shell when it completes, from the pins of the client. Only lines in which nothing is
 * special to any shell are taken.
 */
import { spelledName } from '../../protocol/option-shape.js';
import type { OptionKind, ProgramShape } from '../../protocol/option-shape.js';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Words that stand where a host would, each with what may follow it. */
export const VERBS: Readonly<Record<string, { readonly help: string; readonly then: readonly string[] }>> = {
  completion: { help: 'print completion for a shell', then: SHELLS },
  'man-page': { help: 'print the manual page', then: [] },
};

export interface CompletedFlag {
  /** With its dashes. */
  readonly flag: string;
  readonly kind: OptionKind;
  /** What its value is called; undefined for a switch. */
  readonly value: string | undefined;
  /** All that its value may be, where that is known. */
  readonly values: readonly string[];
  readonly help: string;
  readonly repeats: boolean;
}

export interface CompletedWords {
  readonly program: string;
  /** The program's name as a part of the name of a function. */
  readonly identifier: string;
  readonly flags: readonly CompletedFlag[];
  /** Whether the arguments are a server's host and port. */
  readonly takesServer: boolean;
}

/** @param commands What may stand behind a flag that takes commands. */
export function completedWords(program: ProgramShape, commands: readonly string[]): CompletedWords {
  const options = Object.entries(program.options);
  const flags = options
    .filter(([, { positional }]) => positional !== true)
    .map(([key, { kind, value, choices, help }]) => ({
      flag: `--${spelledName(key)}`,
      kind,
      value,
      values: choices ?? (kind === 'commands' ? commands : []),
      help,
      repeats: kind === 'commands',
    }));
  const always = [
    { flag: '--version', kind: 'switch', value: undefined, values: [], help: 'print the version', repeats: false },
    { flag: '--help', kind: 'switch', value: undefined, values: [], help: 'print all options', repeats: false },
  ] as const;
  return {
    program: program.name,
    identifier: program.name.replaceAll('-', '_'),
    flags: [...flags, ...always],
    takesServer: options.some(([, { positional }]) => positional === true),
  };
}

/** A shell command that prints `HOST PORT` of every pinned server, with `folder` as the shell writes the client's folder. */
export function knownServers(folder: string, { colons }: { readonly colons: boolean }): string {
  return `sed -nE 's/^\\[?([A-Za-z0-9._${colons ? ':' : ''}-]+)\\]?:([0-9]+) SHA256:.*$/\\1 \\2/p' ${folder}/known_servers 2>/dev/null`;
}

/** For a shell's single quotes. */
export function singleQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
