/**
 * `config.json` of the client's folder: where it is read, and by whom it may be changed. What stands in it is the business
 * of config-values.ts, which is loaded where there is such a file.
 */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { P2pError, systemCode } from '../protocol/errors.js';
import { terminalLimits } from '../protocol/limits.js';
import { fileKeyOf } from '../protocol/option-shape.js';
import type { ProgramShape } from '../protocol/option-shape.js';
import { visibleLine } from '../protocol/text.js';
import { badConfig } from './config-error.js';
import type { OptionSource } from './option-sources.js';

export interface ConfigFile {
  readonly source: OptionSource;
  /** What is no mistake and yet should be known. */
  readonly warnings: readonly string[];
}

/** @returns Undefined where there is no such file. @throws P2pError `usage`, naming file, line and key. */
export async function readConfigFile(program: ProgramShape, path: string): Promise<ConfigFile | undefined> {
  const read = await readText(path);
  if (read === undefined) return undefined;
  const { configValues } = await import('./config-values.js');
  const values = configValues(program, read.text, path, homedir());
  const source = { values, called: (key: string) => `"${fileKeyOf(program, key) ?? key}" in ${path}` };
  const warnings = read.othersMayWrite ? [`Other users of this machine can change ${visibleLine(path)}; chmod go-w keeps that to yourself.`] : [];
  return { source, warnings };
}

async function readText(path: string): Promise<{ text: string; othersMayWrite: boolean } | undefined> {
  try {
    // Windows lacks the second; elsewhere it keeps a pipe from being waited for.
    const file = await open(path, constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0));
    try {
      const stats = await file.stat();
      const { mode, size } = stats;
      if (!stats.isFile()) throw badConfig(path, 'it is no regular file');
      if (size > terminalLimits.configFileBytes) throw badConfig(path, `it has ${size} bytes; ${terminalLimits.configFileBytes} are enough`);
      const bytes = await file.readFile();
      const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
      // Windows has no such bits.
      return { text, othersMayWrite: process.platform !== 'win32' && (mode & 0o022) !== 0 };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (cause instanceof P2pError) throw cause;
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw badConfig(path, systemCode(cause) === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'it is not UTF-8' : `it cannot be read (${systemCode(cause) ?? 'unknown error'})`, cause);
  }
}
