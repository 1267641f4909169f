/**
 * Which offer or transfer a person means by a number, or by none, over all sessions: the oldest offer, or the only transfer
 * for which the command makes sense.
 */
import { P2pError } from '../protocol/errors.js';
import type { TransferSnapshot } from './api.js';
import type { Session, Transfers } from './session.js';

export interface Chosen {
  readonly transfers: Transfers;
  readonly id: number;
}

interface Candidate {
  readonly transfers: Transfers;
  readonly snapshot: TransferSnapshot;
}

/** @returns of all sessions, oldest first. */
export function allTransfers(sessions: readonly Session[]): TransferSnapshot[] {
  return candidates(sessions).map(({ snapshot }) => snapshot);
}

/** The incoming offer `id`, or the oldest. @throws P2pError `no-such-offer`. */
export function chooseOffer(sessions: readonly Session[], id: number | undefined): Chosen {
  const open = candidates(sessions).filter(({ transfers, snapshot }) => transfers.hasOffer(snapshot.id));
  const found = open.find(({ snapshot }) => id === undefined || snapshot.id === id);
  if (found !== undefined) return { transfers: found.transfers, id: found.snapshot.id };
  throw new P2pError('no-such-offer', open.length === 0 ? 'No file is being offered to you.' : `There is no such offer. Open offers: ${listed(open)}.`);
}

/** What a command does to a transfer, and to which it can be done. */
const COMMANDS = {
  CANCEL_FILE: { fits: () => true, none: 'No transfer is under way.' },
  PAUSE_FILE: { fits: ({ state, waits }) => state !== 'offered' && waits !== 'paused-by-you', none: 'No transfer is under way that could be paused.' },
  RESUME_FILE: { fits: ({ state }) => state === 'paused', none: 'No transfer is paused.' },
} as const satisfies Record<string, { fits(snapshot: TransferSnapshot): boolean; none: string }>;

/** The transfer `id`, or the only one that fits the command. @throws P2pError `no-such-transfer`. */
export function chooseTransfer(sessions: readonly Session[], command: keyof typeof COMMANDS, id: number | undefined): Chosen {
  const { fits, none } = COMMANDS[command];
  const all = candidates(sessions);
  const named = all.find(({ snapshot }) => snapshot.id === id);
  if (named !== undefined) return { transfers: named.transfers, id: named.snapshot.id };
  const fitting = all.filter(({ snapshot }) => fits(snapshot));
  const [only] = fitting;
  if (id === undefined && only !== undefined && fitting.length === 1) return { transfers: only.transfers, id: only.snapshot.id };
  throw new P2pError('no-such-transfer', only === undefined ? none : `Say which: ${command} n, with n one of ${listed(fitting)}.`);
}

function candidates(sessions: readonly Session[]): Candidate[] {
  return sessions.flatMap(({ transfers }) => transfers.snapshots().map((snapshot) => ({ transfers, snapshot }))).sort((a, b) => a.snapshot.id - b.snapshot.id);
}

function listed(found: readonly Candidate[]): string {
  return found.map(({ snapshot }) => `${snapshot.id} (${snapshot.name})`).join(', ');
}
