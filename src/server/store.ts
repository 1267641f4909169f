/**
 * The store: one LMDB file that holds the server's secrets and its accounts, so there is one thing to back up.
 *
 * Owns opening, creating, and the form of records on disk. A store that exists is complete, or opening it fails: a new one
 * gets its name only when its secrets are on disk, so secrets are never made for data that are there (HOSTILE 36).
 */
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile, open as openFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { open, type Database, type RootDatabase } from 'lmdb';
import * as v from 'valibot';
import { errorText, P2pError, systemCode } from '../protocol/errors.js';
import { Account, ServerSecrets } from './backend.js';
import { lockDataDirectory, type DataLock } from './data-lock.js';
import { checkStoreFile } from './store-format.js';

/** Raised whenever an older program could not read what a newer one writes. */
const SCHEMA_VERSION = 1;
const DATA_FILE = 'data.mdb';

const Schema = v.object({ version: v.pipe(v.number(), v.integer(), v.minValue(1)) });

/**
 * An open store.
 *
 * Records are text: eight hexadecimal digits of CRC-32, then JSON; a damaged one is told apart from a hostile or an old one.
 */
export class Store {
  readonly secrets: ServerSecrets;
  readonly #root: RootDatabase<string, string>;
  readonly #accounts: Database<string, string>;
  readonly #lock: DataLock;
  readonly #decoyText: string;
  #closed: Promise<void> | undefined;

  private constructor(root: RootDatabase<string, string>, secrets: ServerSecrets, lock: DataLock) {
    this.#root = root;
    this.#accounts = accountsOf(root);
    this.#lock = lock;
    this.#decoyText = encodeRecord(secrets.decoy);
    this.secrets = secrets;
  }

  /**
   * Opens the store in `directory`, or makes a new one with `makeSecrets`.
   *
   * @throws P2pError `bad-data-directory` when the directory cannot be used, `store-damaged` when what is in it cannot.
   */
  static async open(directory: string, makeSecrets: () => Promise<ServerSecrets>): Promise<Store> {
    const lock = await usable(directory, async () => {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      return await lockDataDirectory(directory);
    });
    try {
      const path = join(directory, DATA_FILE);
      if (!existsSync(path)) {
        const secrets = await makeSecrets();
        await usable(directory, () => createStore(path, secrets));
      }
      await usable(directory, () => {
        checkStoreFile(path);
        return Promise.resolve();
      });
      const root = openChecked(path);
      try {
        return new Store(root, readSecrets(root, path), lock);
      } catch (error) {
        await root.close();
        throw error;
      }
    } catch (error) {
      await lock.release();
      throw error;
    }
  }

  /** @throws P2pError `store-damaged`. */
  findAccount(name: string): Account | undefined {
    const text = this.#accounts.get(name);
    return text === undefined ? undefined : decodeRecord(Account, text, `account ${name}`);
  }

  /** The decoy, with the same work as reading an account. */
  readDecoy(): Account {
    return decodeRecord(Account, this.#decoyText, 'decoy account');
  }

  hasAccount(name: string): boolean {
    return this.#accounts.doesExist(name);
  }

  /** Resolves when it is on disk. False when `name` has an account. @throws P2pError `server-error`, for example when the disk is full. */
  async createAccount(name: string, account: Account): Promise<boolean> {
    try {
      // The inner promise fails together with the outer one; left alone it would count as an unhandled rejection.
      let written: Promise<boolean> | undefined;
      const absent = this.#accounts.ifNoExists(name, () => {
        written = this.#accounts.put(name, encodeRecord(account));
      });
      const [created] = await Promise.all([absent, written]);
      return created;
    } catch (error) {
      throw new P2pError('server-error', 'The account could not be stored.', { cause: await commitError(error) });
    }
  }

  /** Idempotent; waits for what is being written. */
  close(): Promise<void> {
    this.#closed ??= this.#root.close().then(() => this.#lock.release());
    return this.#closed;
  }
}

/**
 * `overlappingSync: false` makes LMDB flush before it commits, so that a write's promise means that it is on disk (lmdb README,
 * "Overlapping Sync Options"); the default would resolve it earlier. With `eventTurnBatching` lmdb makes promises of its own that
 * nobody can handle when a commit fails, and a full disk would end the program.
 */
function openLmdb(path: string): RootDatabase<string, string> {
  return open<string, string>({ path, noSubdir: true, overlappingSync: false, eventTurnBatching: false, encoding: 'string', maxDbs: 8 });
}

/** Why a commit failed: lmdb hands the reason out as a rejected promise in the error's `commitError`. */
async function commitError(error: unknown): Promise<unknown> {
  if (!(error instanceof Error && 'commitError' in error && error.commitError instanceof Promise)) return error;
  const reason = error.commitError.catch((cause: unknown) => cause);
  return await Promise.race([reason, nextTurn().then(() => error)]);
}

/** @throws P2pError `store-damaged` for whatever LMDB itself objects to. */
function openChecked(path: string): RootDatabase<string, string> {
  try {
    return openLmdb(path);
  } catch (cause) {
    throw new P2pError('store-damaged', `The store ${path} cannot be opened: ${errorText(cause)}. Restore the data directory from a backup.`, { cause });
  }
}

function serverOf(root: RootDatabase<string, string>): Database<string, string> {
  return root.openDB<string, string>({ name: 'server', encoding: 'string' });
}

function accountsOf(root: RootDatabase<string, string>): Database<string, string> {
  return root.openDB<string, string>({ name: 'accounts', encoding: 'string' });
}

/** Under another name first: what is killed in between leaves nothing that looks like a store. */
async function createStore(path: string, secrets: ServerSecrets): Promise<void> {
  const draft = `${path}.new`;
  await removeDraft(draft);
  // LMDB would make it readable for everybody.
  await writeFile(draft, '', { mode: 0o600, flag: 'wx' });
  const root = openLmdb(draft);
  const server = serverOf(root);
  accountsOf(root);
  await root.transaction(() => {
    void server.put('schema', encodeRecord({ version: SCHEMA_VERSION }));
    void server.put('secrets', encodeRecord(secrets));
  });
  await root.close();
  await rename(draft, path);
  await removeDraft(draft);
  // A name is on disk only when its directory is.
  const directory = await openFile(dirname(path), 'r');
  await directory.sync().finally(() => directory.close());
}

async function removeDraft(draft: string): Promise<void> {
  await rm(draft, { force: true });
  await rm(`${draft}-lock`, { force: true });
}

function readSecrets(root: RootDatabase<string, string>, path: string): ServerSecrets {
  const server = serverOf(root);
  const [schemaText, secretsText] = [server.get('schema'), server.get('secrets')];
  if (schemaText === undefined) throw damaged(`${path} is not a store of p2p-server`);
  const { version } = decodeRecord(Schema, schemaText, 'schema version');
  if (version > SCHEMA_VERSION) {
    throw new P2pError('store-damaged', `${path} was written by a newer p2p-server (store version ${version}, this program knows ${SCHEMA_VERSION}). Update p2p-server.`);
  }
  if (secretsText === undefined) throw damaged(`${path} has lost the server's keys`);
  return decodeRecord(ServerSecrets, secretsText, "server's keys");
}

function encodeRecord(value: object): string {
  const json = JSON.stringify(value);
  return checksum(json) + json;
}

function decodeRecord<TSchema extends v.GenericSchema>(schema: TSchema, text: string, what: string): v.InferOutput<TSchema> {
  const json = text.slice(CHECKSUM_CHARS);
  if (text.slice(0, CHECKSUM_CHARS) !== checksum(json)) throw damaged(`The record of the ${what} has changed on disk`);
  const result = v.safeParse(schema, JSON.parse(json));
  if (!result.success) throw damaged(`The record of the ${what} cannot be understood`);
  return result.output;
}

const CHECKSUM_CHARS = 8;

function checksum(json: string): string {
  return crc32(json).toString(16).padStart(CHECKSUM_CHARS, '0');
}

function damaged(what: string): P2pError {
  return new P2pError('store-damaged', `${what}. Restore the data directory from a backup.`);
}

/** Turns what the system says about the directory into one clear line. */
async function usable<T>(directory: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (cause instanceof P2pError || systemCode(cause) === undefined) throw cause;
    throw new P2pError('bad-data-directory', `Cannot use the data directory ${directory}: ${errorText(cause)}. Mend it, or choose another with --data.`, { cause });
  }
}
