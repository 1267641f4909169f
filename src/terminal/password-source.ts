/**
 * A password from a file. Never from an argument: those are visible to everybody on the machine.
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { P2pError, systemCode } from '../protocol/errors.js';
import { terminalLimits, textLimits } from '../protocol/limits.js';

export interface FilePassword {
  readonly password: string;
  /** Whether other users of this machine may read the file. Always false on Windows, which has no such bits. */
  readonly othersMayRead: boolean;
}

/**
 * The first line of the file, without its end.
 *
 * @throws P2pError `password-missing` where there is none, or it cannot be one.
 */
export async function readPasswordFile(path: string): Promise<FilePassword> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const { mode } = await file.stat();
    const buffer = Buffer.alloc(terminalLimits.passwordFileBytes);
    const { bytesRead } = await file.read(buffer, 0, buffer.length);
    const password = buffer.toString('utf8', 0, bytesRead).split(/\r?\n/u, 1)[0] ?? '';
    checkPassword(password, `The password file ${path}`);
    return { password, othersMayRead: process.platform !== 'win32' && (mode & 0o077) !== 0 };
  } catch (cause) {
    if (cause instanceof P2pError) throw cause;
    throw new P2pError('password-missing', `The password file ${path} cannot be read (${systemCode(cause) ?? 'unknown error'}).`, { cause });
  } finally {
    await file?.close();
  }
}

/** @throws P2pError `password-missing` for an empty or an absurdly long one; `source` says where it came from. */
export function checkPassword(password: string, source: string): void {
  if (password === '') throw new P2pError('password-missing', `${source} holds no password.`);
  if (Buffer.byteLength(password) > textLimits.passwordBytes) {
    throw new P2pError('password-missing', `${source} holds more than ${textLimits.passwordBytes} bytes; that is no password.`);
  }
}
