/**
 * What stands in `config.json`: JSON in which comments and trailing commas are allowed; the keys are the long names of
 * options. Pure. Whether a value will do is judged by options.ts; here only its type.
 *
 * Everything that is wrong is refused with line and key: a setting that was silently left out may be the one that protects.
 */
import { dirname, join, resolve } from 'node:path';
import { getNodeValue, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';
import { fileKeyOf } from '../protocol/option-shape.js';
import type { OptionShape, ProgramShape } from '../protocol/option-shape.js';
import { quoted, visibleLine } from '../protocol/text.js';
import { nearestWord } from '../terminal/nearest-word.js';
import { badConfig } from './config-error.js';

/**
 * The settings in `text`, written as on the command line. Pure.
 *
 * @param homeDirectory What `~` stands for; other relative paths are those of the file's folder.
 * @throws P2pError `usage`
 */
export function configValues(program: ProgramShape, text: string, path: string, homeDirectory: string): Record<string, unknown> {
  const errors: ParseError[] = [];
  const tree = parsed(text, errors, path);
  const [error] = errors;
  if (error !== undefined) throw badConfig(path, `line ${lineOf(text, error.offset)} is not JSON (${inWords(printParseErrorCode(error.error))})`);
  if (tree?.type !== 'object') throw badConfig(path, 'it must be one object: { "host": "chat.example.org" }');
  const keys = new Map(Object.keys(program.options).map((key) => [fileKeyOf(program, key), key]));
  const values: Record<string, unknown> = {};
  for (const property of tree.children ?? []) {
    const [name, node] = property.children ?? [];
    if (name === undefined || node === undefined) continue;
    const written = String(name.value);
    const key = keys.get(written);
    const option = key === undefined ? undefined : program.options[key];
    const line = lineOf(text, property.offset);
    if (key === undefined || option === undefined) throw badConfig(path, `line ${line}: ${unknownKey(written, keys.keys())}`);
    if (Object.hasOwn(values, key)) throw badConfig(path, `line ${line}: ${quoted(written)} stands there twice`);
    const value = settingOf(option, node);
    if (value === undefined) throw badConfig(path, `line ${line}: ${quoted(written)} takes ${WANTED[option.kind]}${example(option)}`);
    values[key] = typeof value === 'string' ? placed(option, value, dirname(path), homeDirectory) : value;
  }
  return values;
}

/** The parser calls itself for each level. */
function parsed(text: string, errors: ParseError[], path: string): Node | undefined {
  try {
    return parseTree(text, errors, { allowTrailingComma: true });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw badConfig(path, 'its brackets are nested too deep', cause);
  }
}

function unknownKey(written: string, known: Iterable<string | undefined>): string {
  const shown = quoted(visibleLine(written.slice(0, 80)));
  if (/^pass?w(?:or)?d$|password$|^passphrase$/iu.test(written)) return `passwords do not belong into this file (${shown}). Put yours into a file that only you can read, and name that as "password-file"`;
  if (written === 'home') return 'this file lies in the home folder, so "home" cannot be set in it. Use --home or P2P_HOME';
  if (written === 'new') return '"new" is said once, on the command line: --new';
  const near = nearestWord(written, [...known].filter((key) => key !== undefined));
  return `there is no option ${shown}${near === undefined ? '' : `; perhaps "${near}" is meant`}`;
}

const WANTED: Readonly<Record<OptionShape['kind'], string>> = {
  switch: 'true or false',
  text: 'a text',
  file: 'the path of a file',
  folder: 'the path of a folder',
  number: 'a number, without quotation marks',
  quantity: 'a size as a text such as "10M", or a number of bytes',
  choice: 'a text',
  names: 'a list of names: ["alice", "bob"]',
  commands: 'a list of commands: ["GET_CLIENT_LIST"]',
};

function example({ choices }: OptionShape): string {
  return choices === undefined ? '' : `: ${choices.map((one) => `"${one}"`).join(', ')}`;
}

/** As the command line would have it; undefined for the wrong type. */
function settingOf({ kind, choices }: OptionShape, node: Node): unknown {
  const value: unknown = getNodeValue(node);
  switch (kind) {
    case 'switch':
      return typeof value === 'boolean' ? value : undefined;
    case 'number':
      return typeof value === 'number' ? String(value) : undefined;
    case 'quantity':
      return typeof value === 'number' ? String(value) : textOf(value);
    case 'choice':
      return typeof value === 'string' && choices?.includes(value) === true ? value : undefined;
    case 'names':
      return listOf(value)?.join(',');
    case 'commands':
      return listOf(value);
    case 'text':
    case 'file':
    case 'folder':
      return textOf(value);
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function listOf(value: unknown): string[] | undefined {
  return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : undefined;
}

/** No shell has seen the paths of this file. */
function placed({ kind }: OptionShape, value: string, folder: string, homeDirectory: string): string {
  if ((kind !== 'file' && kind !== 'folder') || value === '' || value === '-') return value;
  if (value === '~') return homeDirectory;
  return /^~[/\\]/u.test(value) ? join(homeDirectory, value.slice(2)) : resolve(folder, value);
}

function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** `CommaExpected` → `comma expected`. */
function inWords(name: string): string {
  return name.replace(/(?<!^)[A-Z]/gu, (letter) => ` ${letter}`).toLowerCase();
}
