/**
 * Where and as whom the person logged in last, in `last-server.json` of the client's folder: what `p2p-client` without
 * arguments takes. No secret, but nobody else's business: 0600.
 *
 * A convenience only: a file that is missing, damaged or cannot be written is no error.
 */
import { constants, open } from 'node:fs/promises';
import { join } from 'node:path';
import { debuglog } from 'node:util';
import * as v from 'valibot';
import writeFileAtomic from 'write-file-atomic';
import { errorText } from '../protocol/errors.js';
import { terminalLimits } from '../protocol/limits.js';
import { isUserName } from '../protocol/names.js';

const debug = debuglog('p2p-terminal');

const LastServer = v.object({
  host: v.pipe(v.string(), v.regex(/^[^\s\p{C}/@]+$/u)),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  user: v.pipe(v.string(), v.check(isUserName)),
});

export type LastServer = Readonly<v.InferOutput<typeof LastServer>>;

function fileIn(home: string): string {
  return join(home, 'last-server.json');
}

/** @returns Undefined where there is none that can be used. */
export async function readLastServer(home: string): Promise<LastServer | undefined> {
  try {
    // Windows lacks the second; elsewhere it keeps a pipe from being waited for.
    const file = await open(fileIn(home), constants.O_RDONLY | ((constants.O_NONBLOCK as number | undefined) ?? 0));
    try {
      const buffer = Buffer.alloc(terminalLimits.lastServerBytes);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      const parsed = v.safeParse(LastServer, JSON.parse(buffer.toString('utf8', 0, bytesRead)));
      return parsed.success ? parsed.output : undefined;
    } finally {
      await file.close();
    }
  } catch (error) {
    debug('no last server: %s', errorText(error));
    return undefined;
  }
}

/** The folder is there after a login: pins are in it. */
export async function writeLastServer(home: string, { host, port, user }: LastServer): Promise<void> {
  try {
    await writeFileAtomic(fileIn(home), `${JSON.stringify({ host, port, user })}\n`, { mode: 0o600 });
  } catch (error) {
    debug('the last server is not remembered: %s', errorText(error));
  }
}
