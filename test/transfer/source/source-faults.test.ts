/** Files that change or cannot be read while they are sent: a file in a folder is told, a single file ends the transfer. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { EntryStatus } from '../../../src/protocol/frames.js';
import { systemSourceFs, type SourceFs } from '../../../src/transfer/source/source-fs.js';
import { SourceReader } from '../../../src/transfer/source/source-reader.js';
import { block, disk, Receiver, systemError, takeAll, TRANSFER } from './sent-frames.js';

const MiB = 1024 * 1024;
const SIZE = 3 * MiB;
const TIME = 1_000_000_000;
const top = mkdtempSync(join(tmpdir(), 'p2p-faults-'));
after(() => rmSync(top, { recursive: true, force: true }));
let places = 0;

/** The calls that a test may let fail for one file. */
type Faults = Partial<Record<'openFile' | 'fstat' | 'read' | 'close', () => void>>;

interface Place {
  readonly folder: string;
  readonly victim: string;
  /** Its calls run these first. */
  readonly faults: Faults;
  readonly fs: SourceFs;
  readonly open: Set<number>;
}

/** A folder with three files, the calls for the second of which can be made to fail. */
function place(): Place {
  const folder = join(top, String((places += 1)));
  mkdirSync(folder);
  const victim = join(folder, 'b');
  for (const name of ['a', 'c']) writeFileSync(join(folder, name), name);
  writeFileSync(victim, Buffer.alloc(SIZE, 'b'));
  utimesSync(victim, TIME, TIME);
  const faults: Faults = {};
  const [open, theirs] = [new Set<number>(), new Set<number>()];
  const fs = disk({
    openFile(path, follow) {
      if (path === victim) faults.openFile?.();
      const fd = systemSourceFs.openFile(path, follow);
      open.add(fd);
      if (path === victim) theirs.add(fd);
      return fd;
    },
    fstat(fd) {
      if (theirs.has(fd)) faults.fstat?.();
      return systemSourceFs.fstat(fd);
    },
    read(fd, ...rest) {
      if (theirs.has(fd)) faults.read?.();
      return systemSourceFs.read(fd, ...rest);
    },
    close(fd) {
      open.delete(fd);
      if (theirs.delete(fd)) faults.close?.();
      systemSourceFs.close(fd);
    },
  });
  return { folder, victim, faults, fs, open };
}

function start(path: string, fs: SourceFs): { reader: SourceReader; skipped: string[] } {
  const skipped: string[] = [];
  const reader = new SourceReader({ path, fs, now: () => 0, onSkip: (shown, reason) => skipped.push(`${shown}: ${reason}`) });
  const { kind } = reader.open();
  reader.start();
  if (kind === 'folder') reader.list();
  reader.plan(takeAll(0, kind === 'folder' ? 3 : 1));
  return { reader, skipped };
}

/** @param midway happens after the first block. */
function readAll(reader: SourceReader, midway: () => void): Receiver {
  const got = new Receiver();
  const buffer = block();
  for (let first = true; ; first = false) {
    const batch = reader.read(buffer, TRANSFER, MiB);
    got.take(buffer, batch);
    if (batch.idle) return got;
    if (first) midway();
  }
}

const failing = (code: string) => () => {
  throw systemError(code);
};

/** What happens to the file in front of its first byte or after a part of it; why it is left out; how a single file fails. */
const cases: [what: string, when: 'before' | 'midway', change: (here: Place) => void, reason: string, code: string][] = [
  ['cannot be opened', 'before', ({ faults }) => (faults.openFile = failing('EACCES')), 'permission denied', 'read-failed'],
  ['has a bad disk when it is opened', 'before', ({ faults }) => (faults.openFile = failing('EIO')), 'it cannot be read (EIO)', 'read-failed'],
  ['has a bad disk when it is looked at', 'before', ({ faults }) => (faults.fstat = failing('EIO')), 'it cannot be read (EIO)', 'read-failed'],
  ['has a bad disk when it is read', 'before', ({ faults }) => (faults.read = failing('EIO')), 'it cannot be read (EIO)', 'read-failed'],
  ['has a bad disk in its midst', 'midway', ({ faults }) => (faults.read = failing('EIO')), 'it cannot be read (EIO)', 'read-failed'],
  ['has a bad disk behind its last byte', 'midway', ({ faults }) => (faults.fstat = failing('EIO')), 'it cannot be read (EIO)', 'read-failed'],
  ['is gone', 'before', ({ victim }) => rmSync(victim), 'it is gone', 'read-failed'],
  ['has shrunk', 'before', ({ victim }) => truncateSync(victim, 5), 'it changed while it was being sent', 'source-changed'],
  ['has grown', 'before', ({ victim }) => appendFileSync(victim, 'x'), 'it changed while it was being sent', 'source-changed'],
  ['shrinks', 'midway', ({ victim }) => truncateSync(victim, MiB + 5), 'it changed while it was being sent', 'source-changed'],
  ['grows', 'midway', ({ victim }) => appendFileSync(victim, 'x'), 'it changed while it was being sent', 'source-changed'],
  [
    'grows and has its time set back',
    'midway',
    ({ victim }) => {
      appendFileSync(victim, 'x');
      utimesSync(victim, TIME, TIME);
    },
    'it changed while it was being sent',
    'source-changed',
  ],
  ['is written to', 'midway', ({ victim }) => utimesSync(victim, 77, 77), 'it changed while it was being sent', 'source-changed'],
];

/** What only a folder must not follow, or a person may not have meant. */
const replaced: [by: string, change: (here: Place) => void, reason: string, code: string][] = [
  ['a link to a file of the same size', ({ victim }) => { renameSync(victim, `${victim}-moved`); symlinkSync(`${victim}-moved`, victim); }, 'a symbolic link', ''],
  ['a named pipe', ({ victim }) => { rmSync(victim); execFileSync('mkfifo', [victim]); }, 'it changed while it was being sent', 'source-changed'],
  ['a folder', ({ victim }) => { rmSync(victim); mkdirSync(victim); }, 'it changed while it was being sent', 'source-changed'],
];

describe('a file in a folder that', () => {
  const all = [...cases, ...replaced.map(([by, change, reason]) => [`is replaced by ${by}`, 'before', change, reason, ''] as const)];
  for (const [what, when, change, reason] of all) {
    it(`${what} (${when}) is told to be unreadable, and the others are sent`, () => {
      const here = place();
      const { reader, skipped } = start(here.folder, here.fs);
      if (when === 'before') change(here);
      const got = readAll(reader, () => when === 'midway' && change(here));
      assert.equal(got.entries.get(1)?.status, EntryStatus.unreadable);
      assert.equal(got.entries.get(1)?.blake3, '0'.repeat(64));
      got.mustHave(0, Buffer.from('a'));
      got.mustHave(2, Buffer.from('c'));
      assert.deepEqual([skipped, got.ended, here.open.size], [[`b: ${reason}`], 3, 0]);
    });
  }
});

describe('a single file that', () => {
  const all = [...cases, ...replaced.slice(1).map(([by, change, , code]) => [`is replaced by ${by}`, 'before', change, '', code] as const)];
  for (const [what, when, change, , code] of all) {
    it(`${what} (${when}) ends the transfer`, () => {
      const here = place();
      const { reader } = start(here.victim, here.fs);
      if (when === 'before') change(here);
      assert.throws(() => readAll(reader, () => when === 'midway' && change(here)), { name: 'TransferFailure', code });
      assert.equal(here.open.size, 0);
    });
  }

  it('cannot be opened is not offered', () => {
    const here = place();
    here.faults.openFile = failing('EACCES');
    assert.throws(() => start(here.victim, here.fs), { name: 'P2pError', code: 'read-failed', message: /permission denied/u });
  });
});

it('an empty file that is replaced by a named pipe is not taken for one', () => {
  const here = place();
  writeFileSync(here.victim, '');
  const { reader } = start(here.folder, here.fs);
  rmSync(here.victim);
  execFileSync('mkfifo', [here.victim]);
  assert.equal(readAll(reader, () => undefined).entries.get(1)?.status, EntryStatus.unreadable);
});

describe('a folder', () => {
  it('that is removed while it is sent ends the transfer', () => {
    const here = place();
    const { reader } = start(here.folder, here.fs);
    const remove = () => {
      rmSync(here.folder, { recursive: true });
      here.faults.read = failing('EIO');
    };
    assert.throws(() => readAll(reader, remove), { code: 'read-failed' });
    assert.equal(here.open.size, 0);
  });

  it('whose files cannot be opened because too many are open in the program ends the transfer', () => {
    const here = place();
    const { reader } = start(here.folder, here.fs);
    here.faults.openFile = failing('EMFILE');
    assert.throws(() => readAll(reader, () => undefined), { code: 'read-failed' });
  });

  it('that has become a file, or is gone, is not started again', () => {
    const here = place();
    const { reader } = start(here.folder, here.fs);
    rmSync(here.folder, { recursive: true });
    assert.throws(() => reader.start(), { code: 'read-failed' });
    writeFileSync(here.folder, '');
    assert.throws(() => reader.start(), { code: 'source-changed' });
  });

  it('tells what it leaves out once, however often it is walked', () => {
    const here = place();
    symlinkSync('/etc', join(here.folder, 'link'));
    const { reader, skipped } = start(here.folder, here.fs);
    while (!reader.count().counted);
    reader.survey(0);
    reader.start();
    reader.list();
    assert.deepEqual(skipped, ['link: a symbolic link']);
  });
});

it('an error that no system raised is not taken for one', () => {
  const here = place();
  const { reader } = start(here.folder, here.fs);
  here.faults.read = () => {
    throw new RangeError('a bug');
  };
  assert.throws(() => readAll(reader, () => undefined), RangeError);
});

it('an error of closing a file that was only read changes nothing', () => {
  const here = place();
  here.faults.close = () => undefined;
  const { reader, skipped } = start(here.folder, here.fs);
  here.faults.close = failing('EIO');
  const got = readAll(reader, () => undefined);
  assert.deepEqual([got.ended, got.entries.get(1)?.status, skipped], [3, EntryStatus.whole, []]);
});
