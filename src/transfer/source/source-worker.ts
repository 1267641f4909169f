/**
 * The thread of source-thread.ts: reads the disk for all outgoing transfers, one bounded piece of work after the other in
 * the order of asking, so that none waits for the whole of another.
 *
 * Owns nothing of what is read (source-reader.ts). Errors that are expected go back as values; any other ends the program.
 */
import { parentPort } from 'node:worker_threads';
import { P2pError } from '../../protocol/errors.js';
import { TransferFailure } from '../failure.js';
import { giveWay } from '../thread-priority.js';
import { systemSourceFs } from './source-fs.js';
import { SourceReader } from './source-reader.js';
import type { SourceAnswer, SourceQuestion, Skipped } from './source-thread.js';

giveWay();
const readers = new Map<number, SourceReader>();
/** What was found to be left out since the last answer, by source. */
const skipped = new Map<number, Skipped[]>();

function open(source: number, path: string): SourceReader {
  const skips: Skipped[] = [];
  const reader = new SourceReader({ path, fs: systemSourceFs, now: () => performance.now(), onSkip: (shown, reason) => skips.push([shown, reason]) });
  readers.set(source, reader);
  skipped.set(source, skips);
  return reader;
}

function perform({ source, ask }: SourceQuestion): unknown {
  const reader = ask.do === 'open' ? open(source, ask.path) : readers.get(source);
  if (reader === undefined) throw new Error(`no source ${source}`);
  switch (ask.do) {
    case 'open':
      return reader.open();
    case 'count':
      return reader.count();
    case 'survey':
      return reader.survey(ask.first);
    case 'start':
      return reader.start(ask.settled);
    case 'settle':
      return reader.settle();
    case 'list':
      return reader.list();
    case 'plan':
      reader.plan(ask.plan);
      return undefined;
    case 'read':
      return reader.read(Buffer.from(ask.block.buffer, ask.block.byteOffset, ask.block.length), ask.transfer, ask.maxBytes);
    case 'close':
      reader.close();
      readers.delete(source);
      skipped.delete(source);
      return undefined;
  }
}

function answer(question: SourceQuestion): SourceAnswer {
  const { call, source } = question;
  const skips = () => skipped.get(source)?.splice(0) ?? [];
  try {
    const value = perform(question);
    return { call, source, skips: skips(), ok: true, value };
  } catch (error) {
    if (!(error instanceof P2pError)) throw error;
    const { code, message } = error;
    return { call, source, skips: skips(), ok: false, transfer: error instanceof TransferFailure, code, message };
  }
}

parentPort?.on('message', (question: SourceQuestion) => parentPort?.postMessage(answer(question)));
