/**
 * Everything in a folder that is sent, one after the other: its files by name, then its folders by name, each with what is
 * in it (PROTOCOL.md 7.5.1).
 *
 * Owns the order, the limits and what is left out: memory holds the names of the folders on one path, not the tree. No
 * link is followed. What changes during the walk is found as it is when its turn comes, or left out.
 */
import type { Stats } from 'node:fs';
import { systemCode } from '../../protocol/errors.js';
import { transferLimits } from '../../protocol/limits.js';
import { numberedFileName } from '../../protocol/names.js';
import type { FileType, SourceFs } from './source-fs.js';

/** Names read from one folder, or looked at in vain, before the walk offers to be interrupted. */
const PAUSE_AFTER = 256;

/** The replacement character: the only trace of bytes in a name that are not UTF-8. */
const REPLACEMENT = '\u{FFFD}';

export interface WalkedFile {
  readonly kind: 'file';
  /** Where it is on this machine. */
  readonly path: string;
  /** Where it is in the folder, for people. */
  readonly shown: string;
  /** The name told to the other side. */
  readonly name: string;
  readonly size: number;
  /** As the system says it, with fractions. */
  readonly mtimeMs: number;
}

export interface WalkedFolder {
  readonly kind: 'folder';
  /** The names told to the other side, from the walked folder. */
  readonly names: readonly string[];
  readonly mtimeMs: number;
}

/** Nothing was found for a while; the caller may let others have their turn. */
export interface WalkPause {
  readonly kind: 'pause';
}

export type Walked = WalkedFile | WalkedFolder | WalkPause;

/** Something is left out. `shown` is empty where it is about several. */
export type OnSkip = (shown: string, reason: string) => void;

interface Level {
  readonly path: string;
  readonly names: readonly string[];
  readonly shown: string;
  readonly mtimeMs: number;
  readonly files: readonly string[];
  readonly folders: readonly string[];
  /** Names that are told to the other side in another form. */
  readonly renamed: ReadonlyMap<string, string>;
  /** Index of the next of `folders`. */
  next: number;
}

/**
 * Walks the folder at `root`. Whoever stops early calls `return()`, which closes the folder that is being read.
 *
 * @throws a system error where `root` itself cannot be read.
 */
export function* walkFolder(root: string, fs: SourceFs, onSkip: OnSkip): Generator<Walked, void> {
  let entries = 0;
  for (const walked of everything(root, fs, onSkip)) {
    if (walked.kind !== 'pause') entries += 1;
    if (entries > transferLimits.folderEntries) {
      onSkip('', `everything after the first ${transferLimits.folderEntries} files and folders`);
      return;
    }
    yield walked;
  }
}

function* everything(root: string, fs: SourceFs, onSkip: OnSkip): Generator<Walked, void> {
  const found = yield* readNames(fs, root, '', onSkip);
  const top: Level = { path: root, names: [], shown: '', mtimeMs: 0, ...found, next: 0 };
  yield* filesIn(fs, top, onSkip);
  const stack = [{ ...top, files: [] }];
  for (let level = stack.at(-1); level !== undefined; level = stack.at(-1)) {
    const name = level.folders[level.next];
    level.next += 1;
    if (name === undefined) {
      stack.pop();
      continue;
    }
    const child: Level | undefined = yield* enter(fs, level, name, onSkip);
    if (child === undefined) continue;
    yield { kind: 'folder', names: child.names, mtimeMs: child.mtimeMs };
    yield* filesIn(fs, child, onSkip);
    stack.push({ ...child, files: [] });
  }
}

function* filesIn(fs: SourceFs, level: Level, onSkip: OnSkip): Generator<WalkedFile | WalkPause, void> {
  let inVain = 0;
  for (const real of level.files) {
    const name = level.renamed.get(real) ?? real;
    const shown = join(level.shown, name);
    const found = look(fs, level, real, shown, onSkip);
    if (found?.isFile() === true) {
      yield { kind: 'file', path: join(level.path, real), shown, name, size: found.size, mtimeMs: found.mtimeMs };
      continue;
    }
    if (found !== undefined) onSkip(shown, kindOf(found));
    inVain += 1;
    if (inVain % PAUSE_AFTER === 0) yield { kind: 'pause' };
  }
}

/** A folder with the names in it, or undefined where it is left out. */
function* enter(fs: SourceFs, parent: Level, real: string, onSkip: OnSkip): Generator<WalkPause, Level | undefined> {
  const name = parent.renamed.get(real) ?? real;
  const shown = join(parent.shown, name);
  if (parent.names.length >= transferLimits.folderDepth) {
    onSkip(shown, `more than ${transferLimits.folderDepth} folders deep`);
    return undefined;
  }
  const found = look(fs, parent, real, shown, onSkip);
  if (found === undefined) return undefined;
  if (!found.isDirectory()) {
    onSkip(shown, kindOf(found));
    return undefined;
  }
  const path = join(parent.path, real);
  try {
    const names = yield* readNames(fs, path, shown, onSkip);
    return { path, names: [...parent.names, name], shown, mtimeMs: found.mtimeMs, ...names, next: 0 };
  } catch (error) {
    onSkip(shown, skipReason(error));
    return undefined;
  }
}

/** What is at a place now; undefined where that cannot be said or listed, which has then been told. */
function look(fs: SourceFs, parent: Level, real: string, shown: string, onSkip: OnSkip): Stats | undefined {
  if (Buffer.byteLength(shown) > transferLimits.pathBytes) {
    onSkip(shown, `a path longer than ${transferLimits.pathBytes} bytes`);
    return undefined;
  }
  try {
    return fs.lstat(join(parent.path, real));
  } catch (error) {
    onSkip(shown, skipReason(error));
    return undefined;
  }
}

interface Names {
  readonly files: string[];
  readonly folders: string[];
}

/** The names in one folder, sorted by UTF-16 unit, so that every walk of the same folder has the same order. */
function* readNames(fs: SourceFs, path: string, shown: string, onSkip: OnSkip): Generator<WalkPause, Pick<Level, 'files' | 'folders' | 'renamed'>> {
  const found: Names = { files: [], folders: [] };
  let [doubtful, odd, count] = [false, false, 0];
  const folder = fs.openFolder(path);
  try {
    // What is beyond the number that may be listed need not be known: the walk ends before it comes to that.
    while (found.files.length + found.folders.length <= transferLimits.folderEntries) {
      const one = folder.readSync();
      if (one === null) break;
      const { name } = one;
      if (one.isFile()) found.files.push(name);
      else if (one.isDirectory()) found.folders.push(name);
      else onSkip(join(shown, name), kindOf(one));
      doubtful ||= name.includes(REPLACEMENT) || !name.isWellFormed();
      odd ||= ODD.test(name);
      count += 1;
      if (count % PAUSE_AFTER === 0) yield { kind: 'pause' };
    }
  } finally {
    folder.closeSync();
  }
  const { files, folders } = doubtful ? withoutMangled(fs, path, shown, found, onSkip) : found;
  files.sort(byUnits);
  folders.sort(byUnits);
  return { files, folders, renamed: odd ? renamings([...files, ...folders]) : NONE };
}

const NONE: ReadonlyMap<string, string> = new Map();

/** `\` and `:` are legal in names here and refused by every receiver (PROTOCOL.md 7.6). */
const ODD = /[\\:]/u;

/** The name told to the other side for a name of this machine. */
export function offeredName(name: string): string {
  return name.replace(/[\\:]/gu, '_');
}

/** Other names for those that a receiver would refuse; a folder is listed once, so no two may become the same. */
function renamings(names: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set(names);
  const renamed = new Map<string, string>();
  for (const name of names.filter((one) => ODD.test(one))) {
    const plain = offeredName(name);
    let offered = plain;
    for (let n = 1; taken.has(offered); n += 1) offered = numberedFileName(plain, n);
    taken.add(offered);
    renamed.set(name, offered);
  }
  return renamed;
}

/** Drops names whose bytes are not UTF-8: the text that stands for them would open nothing, or another file. */
function withoutMangled(fs: SourceFs, path: string, shown: string, found: Names, onSkip: OnSkip): Names {
  const sound = new Set<string>();
  for (const raw of fs.rawNames(path)) {
    const name = raw.toString();
    if (Buffer.from(name).equals(raw)) sound.add(name);
    else onSkip(join(shown, name), 'a name that is not UTF-8');
  }
  // A mangled name may look like a sound one, which then stands there twice.
  const keep = (names: readonly string[]) => [...new Set(names)].filter((name) => sound.has(name));
  return { files: keep(found.files), folders: keep(found.folders) };
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : 1;
}

function join(folder: string, name: string): string {
  return folder === '' || folder.endsWith('/') ? folder + name : `${folder}/${name}`;
}

/** What something is that cannot be sent, for people. */
function kindOf(one: FileType): string {
  if (one.isSymbolicLink()) return 'a symbolic link';
  if (one.isSocket()) return 'a socket';
  if (one.isFIFO()) return 'a named pipe';
  if (one.isBlockDevice() || one.isCharacterDevice()) return 'a device';
  return 'not what it was when the folder was read';
}

/**
 * Why the system does not let something be read, for people.
 *
 * @throws the error itself where the system did not raise it: then it is a bug.
 */
export function skipReason(error: unknown): string {
  const code = systemCode(error);
  switch (code) {
    case undefined:
      throw error;
    case 'ENOENT':
    case 'ENOTDIR':
      return 'it is gone';
    case 'ELOOP':
      return 'a symbolic link';
    case 'EACCES':
    case 'EPERM':
      return 'permission denied';
    default:
      return `it cannot be read (${code})`;
  }
}
