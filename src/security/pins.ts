/**
 * Pins: which key was seen at first contact, in `known_servers` and `known_peers` (README, "How it is secured").
 *
 * One line a pin: `<name> <fingerprint> <date>`; `#` begins a comment. The name is `host:port` of a server, or
 * `user@host:port` of a peer. Files are 0600 and replaced as a whole. A line that cannot be read is an error, never
 * skipped: a pin that silently vanished would be a new first contact.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { errorText, P2pError, systemCode } from '../protocol/errors.js';

const LINE = /^(?<name>\S+) (?<fingerprint>SHA256:[A-Za-z0-9+/]{43})(?: (?<date>\S+))?$/u;

export class PinFile {
  readonly path: string;
  readonly #heading: string;
  /** Changes run one after the other, each on the file as it then is. */
  #last: Promise<void> = Promise.resolve();

  /** `heading` is the comment at the top of a new file, without `#`. */
  constructor(path: string, heading: string) {
    this.path = path;
    this.#heading = heading;
  }

  /** The pinned fingerprint, or undefined at first contact. @throws P2pError `bad-pin-file`. */
  async find(name: string): Promise<string | undefined> {
    await this.#last;
    return pinsIn(await this.#read(), this.path).get(name);
  }

  /** Pins `name` if it is not pinned yet. @throws P2pError `bad-pin-file` when the file cannot be read or written. */
  async add(name: string, fingerprint: string): Promise<void> {
    const change = this.#last.then(async () => {
      const text = await this.#read();
      if (pinsIn(text, this.path).has(name)) return;
      const start = text === '' ? `# ${this.#heading}\n` : text.endsWith('\n') ? text : `${text}\n`;
      await this.#write(`${start}${name} ${fingerprint} ${new Date().toISOString().slice(0, 10)}\n`);
    });
    this.#last = change.catch(() => undefined);
    await change;
  }

  async #read(): Promise<string> {
    try {
      return await readFile(this.path, 'utf8');
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return '';
      throw new P2pError('bad-pin-file', `Cannot read ${this.path}: ${errorText(cause)}. Make it readable and start again.`, { cause });
    }
  }

  async #write(text: string): Promise<void> {
    try {
      await mkdir(dirname(this.path), { recursive: true, mode: 0o700 });
      await writeFileAtomic(this.path, text, { mode: 0o600 });
    } catch (cause) {
      throw new P2pError('bad-pin-file', `Cannot write ${this.path}: ${errorText(cause)}. Make the folder writable and start again.`, { cause });
    }
  }
}

function pinsIn(text: string, path: string): Map<string, string> {
  const pins = new Map<string, string>();
  for (const [index, line] of text.split('\n').entries()) {
    const bare = line.trim();
    if (bare === '' || bare.startsWith('#')) continue;
    const groups = LINE.exec(bare)?.groups;
    const { name, fingerprint } = { name: groups?.['name'], fingerprint: groups?.['fingerprint'] };
    if (name === undefined || fingerprint === undefined) {
      throw new P2pError('bad-pin-file', `Line ${index + 1} of ${path} is not "<name> <fingerprint> <date>". Mend or delete it and start again.`);
    }
    const earlier = pins.get(name);
    if (earlier !== undefined && earlier !== fingerprint) {
      throw new P2pError('bad-pin-file', `Line ${index + 1} of ${path} pins ${name} a second time, with another key. Delete the wrong one and start again.`);
    }
    pins.set(name, fingerprint);
  }
  return pins;
}
