/**
 * Whom this person has blocked, in `<home>/blocked` (README, BLOCK). Nobody else learns of it: not the server, not the blocked.
 *
 * One line each: `<user@server> <fingerprint or -> <date>`; `#` begins a comment. A person is recognised by name or by key. The
 * file is read once, so that it can be asked at any moment; changes are made to it as it then is. A line that cannot be read is
 * an error, never skipped: a block that silently vanished would let somebody in.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import writeFileAtomic from 'write-file-atomic';
import { errorText, P2pError, systemCode } from '../protocol/errors.js';
import { clientLimits } from '../protocol/limits.js';

const LINE = /^(?<user>[^\s@]+)@(?<server>\S+) (?:-|(?<fingerprint>SHA256:[A-Za-z0-9+/]{43}))(?: (?<since>\S+))?$/u;
const HEADING = '# Blocked people: user@server, fingerprint (- where it is not known), since. UNBLOCK takes a line out.\n';

export interface Block {
  /** Canonical name. */
  readonly user: string;
  /** `host:port`. */
  readonly server: string;
  readonly fingerprint: string | undefined;
  /** `YYYY-MM-DD`, UTC, where the line says it. */
  readonly since: string | undefined;
}

export class BlockList {
  readonly #path: string;
  #blocks: readonly Block[] = [];
  /** Changes run one after the other. */
  #last: Promise<void> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  /** Reads the file; to be called before anybody may ask. @throws P2pError `bad-block-list`. */
  async load(): Promise<void> {
    this.#blocks = await this.#read();
  }

  /** Those of one server, oldest first. */
  of(server: string): readonly Block[] {
    return this.#blocks.filter((one) => one.server === server);
  }

  /** `user` canonical. Without `fingerprint` the name alone counts. */
  has(user: string, server: string, fingerprint?: string): boolean {
    return this.#blocks.some((one) => (one.user === user && one.server === server) || (one.fingerprint !== undefined && one.fingerprint === fingerprint));
  }

  /** `user` canonical; the key is added to a block that had none. @throws P2pError `bad-block-list`, `bad-argument` when the list is full. */
  async add(user: string, server: string, fingerprint: string | undefined): Promise<void> {
    await this.#change((blocks) => {
      const known = blocks.find((one) => one.user === user && one.server === server);
      if (known === undefined && blocks.length >= clientLimits.blocked) {
        throw new P2pError('bad-argument', `${blocks.length} people are blocked already. UNBLOCK some of them first.`);
      }
      const since = known?.since ?? new Date().toISOString().slice(0, 10);
      return [...blocks.filter((one) => one !== known), { user, server, fingerprint: known?.fingerprint ?? fingerprint, since }];
    });
  }

  /**
   * `fingerprint`: the key of `user`, where it is known. The same name with the same key is the same person under another address
   * of the server, such as `localhost` and `127.0.0.1`, and would stay blocked by the key.
   *
   * @returns whether `user` (canonical) was blocked. @throws P2pError `bad-block-list`.
   */
  async remove(user: string, server: string, fingerprint?: string): Promise<boolean> {
    let found = false;
    await this.#change((blocks) => {
      const isMeant = (one: Block) => one.user === user && (one.server === server || (fingerprint !== undefined && one.fingerprint === fingerprint));
      const rest = blocks.filter((one) => !isMeant(one));
      found = rest.length < blocks.length;
      return rest;
    });
    return found;
  }

  async #change(edit: (blocks: readonly Block[]) => readonly Block[]): Promise<void> {
    const change = this.#last.then(async () => {
      const blocks = edit(await this.#read());
      await this.#write(blocks);
      this.#blocks = blocks;
    });
    this.#last = change.catch(() => undefined);
    await change;
  }

  async #read(): Promise<readonly Block[]> {
    let text: string;
    try {
      text = await readFile(this.#path, 'utf8');
    } catch (cause) {
      if (systemCode(cause) === 'ENOENT') return [];
      throw new P2pError('bad-block-list', `Cannot read ${this.#path}: ${errorText(cause)}. Make it readable and start again.`, { cause });
    }
    return text.split('\n').flatMap((line, index) => {
      const bare = line.trim();
      if (bare === '' || bare.startsWith('#')) return [];
      const { user, server, fingerprint, since } = LINE.exec(bare)?.groups ?? {};
      if (user === undefined || server === undefined) {
        throw new P2pError('bad-block-list', `Line ${index + 1} of ${this.#path} is not "<user@server> <fingerprint or -> <date>". Mend or delete it and start again.`);
      }
      return [{ user: user.toLowerCase(), server, fingerprint, since }];
    });
  }

  async #write(blocks: readonly Block[]): Promise<void> {
    const lines = blocks.map(({ user, server, fingerprint = '-', since }) => `${user}@${server} ${fingerprint}${since === undefined ? '' : ` ${since}`}\n`);
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await writeFileAtomic(this.#path, HEADING + lines.join(''), { mode: 0o600 });
    } catch (cause) {
      throw new P2pError('bad-block-list', `Cannot write ${this.#path}: ${errorText(cause)}. Make the folder writable and try again.`, { cause });
    }
  }
}
