/**
 * Pins: which key was seen at first contact, since when, and whether it was verified, in `known_servers` and `known_peers`
 * (README, "How it is secured").
 *
 * One line a pin: `<name> <fingerprint> <date> [verified=<date>]`; `#` begins a comment. The name is `host:port` of a server, or
 * `user@host:port` of a peer. A pin that was replaced stays as a comment. Files are 0600 and replaced as a whole. A line that
 * cannot be read is an error, never skipped: a pin that silently vanished would be a new first contact.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { errorText, P2pError, systemCode } from '../protocol/errors.js';

const DATE = /^\d{4}-\d\d-\d\d$/u;
const LINE = /^(?<name>\S+) (?<fingerprint>SHA256:[A-Za-z0-9+/]{43})(?: (?!verified=)(?<since>\S+))?(?: verified=(?<verified>\d{4}-\d\d-\d\d))?$/u;

/** A key that is known. Dates are `YYYY-MM-DD`, UTC. */
export interface Pin {
  readonly fingerprint: string;
  /** When it was first seen, or accepted in place of another; undefined where the line does not say. */
  readonly since: string | undefined;
  /** When its person confirmed it over another channel; undefined: not yet. */
  readonly verified: string | undefined;
}

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
    return (await this.entry(name))?.fingerprint;
  }

  /** All that is known of the pin of `name`. @throws P2pError `bad-pin-file`. */
  async entry(name: string): Promise<Pin | undefined> {
    return (await this.all()).get(name);
  }

  /** Every pin by its name, oldest line first. @throws P2pError `bad-pin-file`. */
  async all(): Promise<ReadonlyMap<string, Pin>> {
    await this.#last;
    return pinsIn(await this.#read(), this.path);
  }

  /** Pins `name` if it is not pinned yet. @throws P2pError `bad-pin-file` when the file cannot be read or written. */
  async add(name: string, fingerprint: string): Promise<void> {
    await this.#change((text) => (pinsIn(text, this.path).has(name) ? text : this.#withLine(text, lineOf(name, fingerprint, today()))));
  }

  /**
   * Notes that the person has verified this very key, or takes that back.
   *
   * @returns Whether `name` is pinned with `fingerprint`; otherwise nothing is changed. @throws P2pError `bad-pin-file`.
   */
  async setVerified(name: string, fingerprint: string, verified: boolean): Promise<boolean> {
    let found = false;
    await this.#change((text) => {
      const pin = pinsIn(text, this.path).get(name);
      if (pin?.fingerprint !== fingerprint) return text;
      found = true;
      if (verified === (pin.verified !== undefined)) return text;
      return withPin(text, name, lineOf(name, fingerprint, pin.since, verified ? today() : undefined));
    });
    return found;
  }

  /** Pins `name` with another key, not verified; the line of the old one becomes a comment. @throws P2pError `bad-pin-file`. */
  async replace(name: string, fingerprint: string): Promise<void> {
    await this.#change((text) => {
      const pin = pinsIn(text, this.path).get(name);
      if (pin?.fingerprint === fingerprint) return text;
      const line = lineOf(name, fingerprint, today());
      if (pin === undefined) return this.#withLine(text, line);
      return withPin(text, name, `# ${lineOf(name, pin.fingerprint, pin.since, pin.verified)} replaced=${today()}\n${line}`);
    });
  }

  async #change(edit: (text: string) => string): Promise<void> {
    const change = this.#last.then(async () => {
      const text = await this.#read();
      const changed = edit(text);
      if (changed !== text) await this.#write(changed);
    });
    this.#last = change.catch(() => undefined);
    await change;
  }

  #withLine(text: string, line: string): string {
    const start = text === '' ? `# ${this.#heading}\n` : text.endsWith('\n') ? text : `${text}\n`;
    return `${start}${line}\n`;
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

function today(): string {
  return new Date().toISOString().slice(0, 10);
}

function lineOf(name: string, fingerprint: string, since: string | undefined, verified?: string): string {
  return [name, fingerprint, ...(since === undefined ? [] : [since]), ...(verified === undefined ? [] : [`verified=${verified}`])].join(' ');
}

/** `text` with `line` in the place of the pin of `name`, and no other line of that name. */
function withPin(text: string, name: string, line: string): string {
  let placed = false;
  const lines = text.split('\n').flatMap((one) => {
    if (LINE.exec(one.trim())?.groups?.['name'] !== name) return [one];
    const here = placed ? [] : [line];
    placed = true;
    return here;
  });
  return lines.join('\n');
}

function pinsIn(text: string, path: string): Map<string, Pin> {
  const pins = new Map<string, Pin>();
  for (const [index, line] of text.split('\n').entries()) {
    const bare = line.trim();
    if (bare === '' || bare.startsWith('#')) continue;
    const groups = LINE.exec(bare)?.groups;
    const { name, fingerprint } = { name: groups?.['name'], fingerprint: groups?.['fingerprint'] };
    if (name === undefined || fingerprint === undefined) {
      throw new P2pError('bad-pin-file', `Line ${index + 1} of ${path} is not "<name> <fingerprint> <date>". Mend or delete it and start again.`);
    }
    const earlier = pins.get(name);
    if (earlier !== undefined && earlier.fingerprint !== fingerprint) {
      throw new P2pError('bad-pin-file', `Line ${index + 1} of ${path} pins ${name} a second time, with another key. Delete the wrong one and start again.`);
    }
    const since = groups?.['since'];
    const dated = since !== undefined && DATE.test(since) ? since : undefined;
    pins.set(name, { fingerprint, since: earlier?.since ?? dated, verified: earlier?.verified ?? groups?.['verified'] });
  }
  return pins;
}
