/**
 * The arguments of either program, by its table of options: commander is fed from it. Owns the text of `--help` and what is
 * wrong about arguments as such; whether a value will do is judged by each program's options.ts.
 */
import { Command, CommanderError, Option } from 'commander';
import { spelledName, variableOf } from '../protocol/option-shape.js';
import type { OptionShape, ProgramShape } from '../protocol/option-shape.js';

/** The arguments are dealt with, well or badly, and what there was to say has been written. */
export class ArgumentsEnd extends Error {
  override readonly name = 'ArgumentsEnd';
  readonly failed: boolean;

  constructor(failed: boolean, cause: unknown) {
    super('the arguments ask for nothing more', { cause });
    this.failed = failed;
  }
}

/** @throws ArgumentsEnd after help, the version or an error was written. */
export function readArguments(program: ProgramShape, argv: readonly string[], version: string): Record<string, unknown> {
  const command = commandFor(program, version);
  try {
    command.parse(argv, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw new ArgumentsEnd(error.exitCode !== 0, error);
    throw error;
  }
  const positional = Object.entries(program.options).filter(([, { positional: is }]) => is === true);
  const given = positional.map(([key], at) => [key, command.args[at]] as const).filter(([, value]) => value !== undefined);
  return { ...command.opts(), ...Object.fromEntries(given) };
}

/** The text of `--help`. */
export function helpText(program: ProgramShape, version: string): string {
  let text = '';
  commandFor(program, version)
    .configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 110, getOutHasColors: () => false })
    .outputHelp();
  return text;
}

function commandFor(program: ProgramShape, version: string): Command {
  const { name } = program;
  const command = new Command(name)
    .description(program.summary)
    .version(version, '--version', 'print the version')
    .helpOption('--help', 'print this text')
    .addHelpText('after', closing(program))
    .showHelpAfterError(`${name} --help shows all options.`)
    // Whoever runs several programs must see which of them speaks.
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /u, `${name}: `)) })
    .exitOverride();
  for (const [key, option] of Object.entries(program.options)) {
    if (option.positional === true) command.argument(`[${spelledName(key)}]`, describe(option));
    else for (const one of optionsFor(program, key, option)) command.addOption(one);
  }
  return command;
}

/** A switch that a file or the environment may turn on can be turned off as well; that needs no line of help. */
function optionsFor(program: ProgramShape, key: string, option: OptionShape): Option[] {
  const flag = `--${spelledName(key)}`;
  const made = new Option(option.value === undefined ? flag : `${flag} <${option.value}>`, describe(option)).helpGroup(`${option.group}:`);
  if (option.kind === 'commands') made.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
  if (option.kind !== 'switch' || variableOf(program, key) === undefined) return [made];
  return [made, new Option(`--no-${spelledName(key)}`).hideHelp()];
}

/** With its default where it has one. */
export function describe({ help, default: value, defaultText }: OptionShape): string {
  const shown = defaultText ?? value;
  return shown === undefined ? help : `${help} (default: ${shown})`;
}

function closing(program: ProgramShape): string {
  const { name, environmentPrefix, hasFile, exitCodes } = program;
  return [
    '',
    `Every option can also be set as ${environmentPrefix}… in the environment${hasFile ? ', and in config.json\nof --home. The command line goes first, then the environment' : ''}.`,
    `${name} completion bash|zsh|fish prints completion for that shell,`,
    `${name} man-page the manual page.`,
    '',
    'Exit codes:',
    ...exitCodes.map(([code, means]) => `  ${code}  ${means}`),
  ].join('\n');
}
