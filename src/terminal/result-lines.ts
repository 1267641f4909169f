/**
 * What a command yielded → the lines that a person or the output of a script gets. Pure; programs get events (json-face.ts).
 */
import { filesLines, rateLimitLines } from './files-wording.js';
import type { Line } from './layout.js';
import { awayLines, awaySetLines, blockedLines, blockedListLines, unblockedLines } from './people-wording.js';
import type { Result } from './perform.js';
import { acceptedKeyLines, safetyNumberLines, whoisLines } from './trust-wording.js';
import { waitedLines } from './wait-for.js';
import { clientInfoLines, clientListLines, goesToLine, helpLines, saidLine } from './wording.js';

export interface ResultContext {
  /** A person reads it: then more is said than what was asked for. */
  readonly interactive: boolean;
  /** Of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: number;
}

/** Nothing for what events tell: a transfer, an end. */
export function resultLines(result: Result, { interactive, columns, nowMs }: ResultContext): readonly Line[] {
  switch (result.kind) {
    case 'list':
      return interactive ? [...clientListLines(result.list), ...awayLines(result.list)] : clientListLines(result.list);
    case 'info':
      return clientInfoLines(result.info);
    case 'away':
      return awaySetLines(result.text);
    case 'blocked':
      return blockedLines(result.outcome);
    case 'unblocked':
      return unblockedLines(result.user);
    case 'blocked-list':
      return blockedListLines(result.blocked);
    case 'safety-number':
      return safetyNumberLines(result.info, result.wish);
    case 'accepted-key':
      return acceptedKeyLines(result.accepted);
    case 'whois':
      return whoisLines(result.info, nowMs);
    case 'files':
      return filesLines(result.transfers, result.leftovers, columns);
    case 'rate':
      return rateLimitLines(result.bytesPerSecond);
    case 'waited':
      return waitedLines(result.awaited);
    case 'help':
      return helpLines(result.text);
    case 'said':
      return interactive ? [saidLine(result.peers)] : [];
    case 'switched':
      return interactive ? [goesToLine(result.peer)] : [];
    case 'transfer':
    case 'left':
    case 'nothing':
      return [];
  }
}
