/**
 * Files and folders that a typed path may go on to: looked up in one folder, never more than a bounded number of names.
 *
 * Owns which names are offered. What cannot be sent (a socket, a device) or typed (control characters) is not; hidden
 * files are when their dot is typed. How the path is written stands in path-writing.ts.
 */
import type { Dirent } from 'node:fs';
import { opendir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../protocol/errors.js';
import { editingLimits } from '../../protocol/limits.js';
import { visibleLine } from '../../protocol/text.js';
import { expandHome } from '../perform.js';
import { commonBeginning } from './common-beginning.js';
import type { TypedPath, WrittenPath } from './path-writing.js';
import { writeBeginning, writeWhole } from './path-writing.js';

export interface FolderEntry {
  readonly name: string;
  readonly folder: boolean;
}

export interface FolderContents {
  readonly entries: readonly FolderEntry[];
  /** There may be more names than were looked at. */
  readonly cut: boolean;
}

/** The entries of a folder whose name `wanted` takes; none where it cannot be read. */
export type ReadFolder = (path: string, wanted: (name: string) => boolean) => Promise<FolderContents>;

export interface PathCandidates {
  readonly written: WrittenPath;
  /** Names, neutralised; folders with a `/`. */
  readonly candidates: readonly string[];
}

export interface PathSurroundings {
  readonly homeDirectory: string;
  readonly workingDirectory: string;
  readonly readFolder: ReadFolder;
}

const collator = new Intl.Collator('und', { numeric: true });

/** What `typed` may go on to; undefined for nothing. */
export async function completePath(typed: TypedPath, { homeDirectory, workingDirectory, readFolder }: PathSurroundings): Promise<PathCandidates | undefined> {
  const { path } = typed;
  if (path === '~' || path === '..' || path.endsWith('/..')) return { written: writeBeginning(`${path}/`, typed), candidates: [`${path}/`] };
  const split = path.lastIndexOf('/') + 1;
  const folder = path.slice(0, split);
  const beginning = path.slice(split);
  const place = expandHome(folder, homeDirectory);
  const { entries, cut } = await readFolder(place.startsWith('/') ? place : join(workingDirectory, place), (name) => {
    if (name.startsWith('.') && !beginning.startsWith('.')) return false;
    return canBeTyped(name) && sameCase(name).startsWith(sameCase(beginning));
  });
  const exact = entries.filter(({ name }) => name.startsWith(beginning));
  const found = [...(exact.length > 0 ? exact : entries)].sort((a, b) => collator.compare(a.name, b.name));
  const [first] = found;
  if (first === undefined) return undefined;
  const candidates = found.map((one) => visibleLine(one.name) + (one.folder ? '/' : ''));
  // What the names have in common is not known where some were not looked at.
  if (cut) return { written: writeBeginning(path, typed), candidates };
  if (found.length > 1) return { written: writeBeginning(longer(path, folder + commonBeginning(found.map(({ name }) => name))), typed), candidates };
  // In the working directory, however its name begins, and not in the home directory.
  const whole = folder === '' && /^~(?:$|\\)/u.test(first.name) ? `./${first.name}` : folder + first.name;
  return { written: first.folder ? writeBeginning(`${whole}/`, typed) : writeWhole(whole, typed), candidates };
}

/** Names in other letters have less in common than was typed. */
function longer(typed: string, common: string): string {
  return common.length > typed.length || common.toLowerCase() === typed.toLowerCase() ? common : typed;
}

function sameCase(name: string): string {
  return name.toLowerCase();
}

/** Line breaks would make it a message, other controls cannot be seen; U+FFFD stands for bytes that are no UTF-8. */
function canBeTyped(name: string): boolean {
  return !/[\p{Cc}\ufffd]/u.test(name);
}

/** The file system's {@link ReadFolder}. */
export async function readFolder(path: string, wanted: (name: string) => boolean): Promise<FolderContents> {
  const entries: FolderEntry[] = [];
  let looked = 0;
  try {
    for await (const entry of await opendir(path, { bufferSize: 256 })) {
      looked += 1;
      if (looked > editingLimits.completionEntries) return { entries, cut: true };
      if (!wanted(entry.name)) continue;
      const folder = await isFolder(path, entry, entries.length);
      if (folder !== undefined) entries.push({ name: entry.name, folder });
    }
  } catch (error) {
    // It is no folder, or may not be read: then nothing is offered, and what is typed tells why when it is sent.
    if (systemCode(error) === undefined) throw error;
  }
  return { entries, cut: false };
}

/** Undefined for what cannot be sent. Links are followed, and what the file system keeps quiet about is looked up; of very many only some. */
async function isFolder(path: string, entry: Dirent, before: number): Promise<boolean | undefined> {
  if (entry.isDirectory()) return true;
  if (entry.isFile()) return false;
  if (before > editingLimits.completionsListed) return false;
  try {
    const target = await stat(join(path, entry.name));
    return target.isDirectory() ? true : target.isFile() ? false : undefined;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
