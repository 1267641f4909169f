/**
 * The client's options: every one with its value, default, place in help and words. The one place where defaults stand.
 *
 * Owns no checking, that is options.ts's; and no spelling of flags, variables and keys, that is protocol/option-shape.ts's.
 */
import type { OptionTable, ProgramShape } from '../protocol/option-shape.js';
import { EXIT_CODES } from './exit-codes.js';

const SERVER = 'Server and account';
const FILES = 'Files';
const PEOPLE = 'People';
const SCREEN = 'At the terminal';
const PROGRAMS = 'Programs and scripts';

/** In the order of help. */
export const CLIENT_OPTIONS = {
  host: { kind: 'text', value: 'host', positional: true, group: SERVER, defaultText: 'the last server', help: 'name or address of the server' },
  port: { kind: 'number', value: 'port', positional: true, default: '9090', belongsTo: 'host', group: SERVER, help: 'its port' },
  user: { kind: 'text', value: 'name', group: SERVER, help: 'log in as this user; without it you are asked' },
  // Where it is remembered, it would be right once.
  new: { kind: 'switch', group: SERVER, notIn: ['environment', 'file'], help: 'make a new account' },
  passwordFile: { kind: 'file', value: 'file', group: SERVER, help: 'the first line is the password (or set P2P_PASSWORD)' },
  pin: { kind: 'text', value: 'fingerprint', belongsTo: 'host', group: SERVER, help: 'the server must have this fingerprint, SHA256:…' },
  // The configuration file lies in it.
  home: { kind: 'folder', value: 'dir', group: SERVER, notIn: ['file'], defaultText: '~/p2p-chat', help: 'pins, configuration, received and unfinished files' },
  accept: { kind: 'choice', value: 'policy', choices: ['ask', 'all', 'none'], default: 'ask', group: FILES, help: 'offered files: ask, all or none; a script is never asked' },
  acceptFrom: { kind: 'names', value: 'names', belongsTo: 'accept', group: FILES, help: 'with --accept all: only files from these, alice,bob' },
  maxFile: { kind: 'quantity', value: 'size', belongsTo: 'accept', group: FILES, help: 'with --accept all: only files and folders up to this size, such as 2G' },
  received: { kind: 'folder', value: 'dir', group: FILES, defaultText: 'received in --home', help: 'folder for received files; - writes one file to stdout' },
  limitRate: { kind: 'quantity', value: 'rate', group: FILES, help: 'bytes a second for all sending, and for all receiving, such as 10M' },
  sessions: { kind: 'choice', value: 'policy', choices: ['auto', 'ask'], default: 'auto', group: PEOPLE, help: 'sessions asked for by others: auto or ask' },
  listenPort: { kind: 'number', value: 'port', default: '0', group: PEOPLE, help: 'where other clients connect, 1024 to 65535; 0 takes a free one' },
  timestamps: { kind: 'choice', value: 'choice', choices: ['on', 'off'], default: 'on', group: SCREEN, help: 'the time in front of messages and notices: on or off' },
  attention: { kind: 'choice', value: 'choice', choices: ['notify', 'bell', 'off'], default: 'notify', group: SCREEN, help: 'when you are addressed, or away: notify on the desktop, ring the bell, or off' },
  logChat: { kind: 'folder', value: 'dir', group: PEOPLE, help: 'keep what is said as plain text in this folder, one file a person' },
  json: { kind: 'switch', group: PROGRAMS, help: 'for programs: one JSON object a line, in and out' },
  exec: { kind: 'commands', value: 'command', group: PROGRAMS, help: 'run this command, then leave; may be repeated' },
  stay: { kind: 'switch', group: PROGRAMS, help: 'keep running after the last command, until SIGINT or SIGTERM' },
} as const satisfies OptionTable;

export type ClientOptionName = keyof typeof CLIENT_OPTIONS;

export const CLIENT_PROGRAM: ProgramShape = {
  name: 'p2p-client',
  summary: 'Chat and send files directly, end-to-end encrypted. Without a terminal, commands are read from stdin.',
  environmentPrefix: 'P2P_',
  options: CLIENT_OPTIONS,
  otherVariables: [
    ['P2P_PASSWORD', 'the password; --password-file goes before it'],
    ['NO_COLOR', 'set to anything: no colours. FORCE_COLOR=1, 2 or 3 wants them'],
    ['NODE_DEBUG', "'p2p-*' shows what the client does"],
  ],
  hasFile: true,
  exitCodes: EXIT_CODES,
};
