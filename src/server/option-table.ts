/** The server's options: every one with its value, default and words. The one place where defaults stand; checking is options.ts's. */
import type { OptionTable, ProgramShape } from '../protocol/option-shape.js';

export const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

const OPTIONS = 'Options';

/** In the order of help. */
export const SERVER_OPTIONS = {
  port: { kind: 'number', value: 'number', default: '9090', group: OPTIONS, help: 'port to listen at; 0 takes a free one' },
  host: { kind: 'text', value: 'address', default: '::', group: OPTIONS, defaultText: 'every address of this machine', help: 'address to listen at' },
  data: { kind: 'folder', value: 'directory', group: OPTIONS, defaultText: '~/.p2p-server', help: "accounts and the server's keys" },
  logLevel: { kind: 'choice', value: 'level', choices: LOG_LEVELS, default: 'info', group: OPTIONS, help: 'fatal, error, warn, info, debug, trace or silent' },
} as const satisfies OptionTable;

export const SERVER_PROGRAM: ProgramShape = {
  name: 'p2p-server',
  summary: 'Keeps accounts, knows who is online, and introduces people to each other. Sees no message, file or password.',
  environmentPrefix: 'P2P_SERVER_',
  options: SERVER_OPTIONS,
  otherVariables: [],
  hasFile: false,
  exitCodes: [
    [0, 'ended by SIGINT or SIGTERM'],
    [1, 'cannot start, or a bug'],
    [2, 'wrong usage'],
  ],
};
