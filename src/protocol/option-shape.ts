/**
 * What an option of either program is: the one description from which its flag, environment variable and key in a
 * configuration file, `--help`, the man page, shell completion and the README's table are made.
 *
 * Pure, and here because both programs need it. The tables are terminal/option-table.ts and server/option-table.ts; reading
 * what was given is the business of bin/, checking it that of each program's options.ts.
 */

/**
 * - `switch`: takes no value
 * - `text`, `file`, `folder`, `number`: one value
 * - `quantity`: a size or rate such as `10M`
 * - `choice`: one of `choices`
 * - `names`: user names, with commas between
 * - `commands`: may be given several times
 */
export type OptionKind = 'switch' | 'text' | 'file' | 'folder' | 'number' | 'quantity' | 'choice' | 'names' | 'commands';

export interface OptionShape {
  readonly kind: OptionKind;
  /** What its value is called in help; none for a switch. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** Applied where nothing was given, written as on the command line. */
  readonly default?: string;
  /** What stands for the default in help where it is no fixed value. */
  readonly defaultText?: string;
  readonly help: string;
  readonly group: string;
  /** An argument without a flag. */
  readonly positional?: true;
  /** The option that it means something beside of: where a stronger source gives that another value, this one does not count. */
  readonly belongsTo?: string;
  /** It can be given on the command line only, or not in the file: why stands at the option. */
  readonly notIn?: readonly ('environment' | 'file')[];
}

/** Keys are those of the parsed object, in camel case; every spelling is derived from them. */
export type OptionTable = Readonly<Record<string, OptionShape>>;

export interface ProgramShape {
  readonly name: string;
  readonly summary: string;
  /** Of the environment variables, such as `P2P_`. */
  readonly environmentPrefix: string;
  readonly options: OptionTable;
  /** Environment variables that are no option, with what they do. */
  readonly otherVariables: readonly (readonly [name: string, help: string])[];
  /** Whether there is a configuration file. */
  readonly hasFile: boolean;
  readonly exitCodes: readonly (readonly [code: number, means: string])[];
}

/** `acceptFrom` → `accept-from`: the flag without its dashes, and the key in the configuration file. */
export function spelledName(key: string): string {
  return key.replace(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`);
}

/** `acceptFrom` → `--accept-from`, `host` → `HOST`: how messages call it. */
export function flagOf(key: string, option: OptionShape): string {
  return option.positional === true ? spelledName(key).toUpperCase() : `--${spelledName(key)}`;
}

/** `acceptFrom` → `P2P_ACCEPT_FROM`; undefined where there is none. */
export function variableOf(program: ProgramShape, key: string): string | undefined {
  if (program.options[key]?.notIn?.includes('environment') === true) return undefined;
  return `${program.environmentPrefix}${spelledName(key).replaceAll('-', '_').toUpperCase()}`;
}

/** The key in the configuration file; undefined where there is none. */
export function fileKeyOf(program: ProgramShape, key: string): string | undefined {
  return !program.hasFile || program.options[key]?.notIn?.includes('file') === true ? undefined : spelledName(key);
}
