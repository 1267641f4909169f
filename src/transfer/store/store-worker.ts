/** The thread of store-thread.ts: does what is asked, one transfer beside the other, with store-disk.ts and incoming-place.ts. */
import { parentPort, workerData } from 'node:worker_threads';
import { TransferFailure, writeFailure } from '../failure.js';
import { giveWay } from '../thread-priority.js';
import type { IncomingPlace } from './incoming-place.js';
import type { Listing, Plan } from '../source/source.js';
import { inTurns, type Steps } from './steps.js';
import { StoreDisk, type StoreDiskOptions } from './store-disk.js';
import type { StoreCall, StoreCalls, StoreReply, StoreRequest } from './store-thread.js';

interface OpenPlace {
  readonly place: IncomingPlace;
  /** A plan or the end, under way. */
  planning: Steps<readonly Plan[]> | undefined;
  busy: Promise<unknown>;
}

giveWay();
const disk = new StoreDisk(workerData as StoreDiskOptions);
const places = new Map<number, OpenPlace>();

type Answer = StoreCalls[StoreCall]['answer'];

function answer(request: StoreRequest): Answer | Promise<Answer> {
  switch (request.call) {
    case 'outlook':
      return inTurns(disk.outlook(request.wanted));
    case 'sameEntries':
      return inTurns(disk.sameEntries(request.wanted, request.listing));
    case 'leftovers':
      return inTurns(disk.leftovers());
    case 'removeLeftovers':
      return inTurns(disk.removeLeftovers(request.nowMs)) as Promise<undefined>;
    case 'open': {
      const number = request.place;
      const onNote = (path: string, note: string) => say({ place: number, path, note });
      places.set(number, { place: disk.open(request.wanted, { onNote }), planning: undefined, busy: Promise.resolve() });
      return undefined;
    }
    case 'discard':
    case 'keep':
      return close(request.place, request.call);
    default: {
      const open = places.get(request.place);
      if (open === undefined) throw new TransferFailure('cancelled', 'The transfer has ended.');
      return inPlace(open, request);
    }
  }
}

type PlaceRequest = Extract<StoreRequest, { call: 'start' | 'plan' | 'write' | 'publish' }>;

function inPlace(open: OpenPlace, request: PlaceRequest): Answer | Promise<Answer> {
  switch (request.call) {
    case 'start':
      // What is still looked at for an earlier link would be added to the list of this one.
      stopPlanning(open);
      open.place.start(request.turn);
      return { ended: open.place.ended, settled: open.place.settled };
    case 'plan':
      return plan(open, request.listing);
    case 'write':
      return { ...open.place.write(bufferOf(request.block), request.bytes, request.turn), ended: open.place.ended, settled: open.place.settled };
    case 'publish':
      return (open.busy = open.place.publish());
  }
}

/** A Buffer loses its class on the way, not its memory. */
function bufferOf({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

async function plan(open: OpenPlace, listing: Listing): Promise<StoreCalls['plan']['answer']> {
  const steps = open.place.plan(listing);
  open.planning = steps;
  try {
    const plans = await inTurns(steps);
    if (open.planning !== steps) throw new TransferFailure('cancelled', 'The transfer has ended, or goes on over another link.');
    return { plans, ended: open.place.ended, settled: open.place.settled };
  } finally {
    if (open.planning === steps) open.planning = undefined;
  }
}

function stopPlanning(open: OpenPlace): void {
  open.planning?.return([]);
  open.planning = undefined;
}

async function close(number: number, how: 'discard' | 'keep'): Promise<undefined> {
  const open = places.get(number);
  if (open === undefined) return undefined;
  places.delete(number);
  stopPlanning(open);
  await Promise.allSettled([open.busy]);
  if (how === 'keep') open.place.keep();
  else await open.place.discard();
  return undefined;
}

function say(reply: StoreReply): void {
  parentPort?.postMessage(reply);
}

async function handle(request: StoreRequest): Promise<void> {
  const { id } = request;
  try {
    say({ id, value: await answer(request) });
  } catch (error) {
    // Throws what is a bug: it ends this thread, and with it the program.
    const { code, message } = writeFailure(error);
    say({ id, failure: { code, message } });
  }
}

parentPort?.on('message', (request: StoreRequest) => void handle(request));
