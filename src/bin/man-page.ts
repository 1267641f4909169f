/**
 * The manual page of a program in the language of man(7), from the same tables as its `--help`. Pure.
 *
 * Owns the form; the words beside options and commands stand in manuals.ts. Everything beyond ASCII is written as an escape, so
 * that no locale and no preprocessor is asked.
 */
import { fileKeyOf, flagOf, variableOf } from '../protocol/option-shape.js';
import type { ProgramShape } from '../protocol/option-shape.js';

export interface ManualCommand {
  readonly usage: string;
  readonly short: readonly string[];
  readonly paragraphs: readonly string[];
  readonly examples: readonly string[];
}

/** What a manual says that no table of options holds. */
export interface Manual {
  /** In a few words, for the line under NAME. */
  readonly purpose: string;
  readonly description: readonly string[];
  readonly commandsIntroduction: string;
  readonly commands: readonly { readonly group: string; readonly commands: readonly ManualCommand[] }[];
  /** Paragraphs and an example of the configuration file; undefined where there is none. */
  readonly configuration: { readonly paragraphs: readonly string[]; readonly example: readonly string[] } | undefined;
  readonly files: readonly (readonly [path: string, help: string])[];
  readonly examples: readonly (readonly [line: string, says: string])[];
  readonly seeAlso: readonly string[];
}

export function manPage(program: ProgramShape, manual: Manual, version: string): string {
  const { name, exitCodes } = program;
  const lines = [
    `.TH ${roff(name.toUpperCase())} 1 "" ${roff(`"p2p-chat ${version}"`)} "User Commands"`,
    // Left-aligned, and no word is taken apart: options must be found by searching.
    '.nh',
    '.ad l',
    '.SH NAME',
    `${roff(name)} \\- ${roff(manual.purpose)}`,
    '.SH SYNOPSIS',
    ...synopsis(program),
    '.SH DESCRIPTION',
    ...paragraphs(manual.description),
    ...options(program),
    ...(manual.commands.length === 0 ? [] : ['.SH COMMANDS', text(manual.commandsIntroduction), ...manual.commands.flatMap(commandGroup)]),
    ...(manual.configuration === undefined ? [] : ['.SH CONFIGURATION', ...paragraphs(manual.configuration.paragraphs), ...example(manual.configuration.example)]),
    '.SH ENVIRONMENT',
    ...environment(program),
    ...(manual.files.length === 0 ? [] : ['.SH FILES', ...manual.files.flatMap(([path, help]) => entry(`\\fI${roff(path)}\\fR`, help))]),
    '.SH EXIT STATUS',
    ...exitCodes.flatMap(([code, means]) => entry(`\\fB${code}\\fR`, sentence(means))),
    ...(manual.examples.length === 0 ? [] : ['.SH EXAMPLES', ...manual.examples.flatMap(([line, says]) => ['.PP', text(says), ...example([line])])]),
    '.SH SEE ALSO',
    manual.seeAlso.map((one) => `\\fB${roff(one)}\\fR(1)`).join(', '),
  ];
  return `${lines.join('\n')}\n`;
}

function synopsis(program: ProgramShape): string[] {
  const positional = Object.entries(program.options).filter(([, option]) => option.positional === true);
  // A later argument needs those before it.
  const nested = positional.map(([key]) => ` [\\fI${roff(key)}\\fR`).join('') + ']'.repeat(positional.length);
  const verbs = ['completion bash|zsh|fish', 'man-page'].map((verb) => `.br\n\\fB${roff(`${program.name} ${verb}`)}\\fR`);
  return [`\\fB${roff(program.name)}\\fR [\\fIoption\\fR]...${nested}`, ...verbs];
}

function options(program: ProgramShape): string[] {
  const groups = [...new Set(Object.values(program.options).map(({ group }) => group))];
  const rows = (wanted: string) =>
    Object.entries(program.options)
      .filter(([, { group }]) => group === wanted)
      .flatMap(([key, option]) => {
        const value = option.value === undefined || option.positional === true ? '' : ` \\fI${roff(option.value)}\\fR`;
        const term = option.positional === true ? `\\fI${roff(key)}\\fR` : `\\fB${roff(flagOf(key, option))}\\fR${value}`;
        const shown = option.defaultText ?? option.default;
        const also = [variableOf(program, key), fileKeyOf(program, key) === undefined ? undefined : `"${fileKeyOf(program, key) ?? ''}" in config.json`].filter((one) => one !== undefined);
        return entry(term, [sentence(option.help), ...(shown === undefined ? [] : [`Default: ${shown}.`]), ...(also.length === 0 ? [] : [`Also: ${also.join(', ')}.`])].join(' '));
      });
  const more = [...entry('\\fB\\-\\-version\\fR', 'Print the version.'), ...entry('\\fB\\-\\-help\\fR', 'Print all options.')];
  if (groups.length === 1) return ['.SH OPTIONS', ...rows(groups[0] ?? ''), ...more];
  return ['.SH OPTIONS', ...groups.flatMap((group) => [`.SS ${roff(group)}`, ...rows(group)]), '.SS Help', ...more];
}

function commandGroup({ group, commands }: Manual['commands'][number]): string[] {
  const rows = commands.flatMap(({ usage, short, paragraphs: [first = '', ...rest], examples }) => [
    ...entry([`\\fB${roff(usage)}\\fR`, ...short.map((one) => `\\fB${roff(one)}\\fR`)].join(', '), first),
    ...rest.flatMap((paragraph) => ['.IP', text(paragraph)]),
    ...(examples.length === 0 ? [] : ['.IP', `For example: ${examples.map((line) => `\\fB${roff(line)}\\fR`).join(', ')}`]),
  ]);
  return [`.SS ${roff(group)}`, ...rows];
}

function environment(program: ProgramShape): string[] {
  const options = Object.entries(program.options).flatMap(([key, option]) => {
    const variable = variableOf(program, key);
    return variable === undefined ? [] : entry(`\\fB${roff(variable)}\\fR`, `As ${flagOf(key, option)}.${option.kind === 'switch' ? ' 1 or 0.' : ''}${option.kind === 'commands' ? ' One a line.' : ''}`);
  });
  return [...program.otherVariables.flatMap(([name, help]) => entry(`\\fB${roff(name)}\\fR`, sentence(help))), ...options];
}

function entry(term: string, help: string): string[] {
  return ['.TP', term, text(help)];
}

function paragraphs(all: readonly string[]): string[] {
  return all.flatMap((one) => ['.PP', text(one)]);
}

/** As typed: nothing is filled, nothing replaced. */
function example(lines: readonly string[]): string[] {
  return ['.PP', '.RS 4', '.nf', ...lines.map((line) => text(line)), '.fi', '.RE'];
}

function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}${/[.!?]$/u.test(words) ? '' : '.'}`;
}

/** A line of text: one that begins with a dot or a quote would be a request. */
function text(words: string): string {
  const line = roff(words);
  return /^[.']/u.test(line) ? `\\&${line}` : line;
}

/** Nothing in it is special any more. Hyphens become such as can be searched and copied. */
function roff(words: string): string {
  const ascii = words.replaceAll('\\', '\\e').replaceAll('-', '\\-').replaceAll('^', '\\(ha').replaceAll('~', '\\(ti').replaceAll('`', '\\(ga').replaceAll("'", '\\(aq');
  return ascii.replace(/[^\n -~]/gu, (point) => `\\[u${(point.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`);
}
