/**
 * Limits of what a person or a program types and of what waits for the screen. Nothing here shows on the wire.
 */

export const terminalLimits = {
  /** One line on stdin, bytes: a chat message of 16 KiB with every character escaped in JSON is 96 KiB. */
  lineBytes: 128 * 1024,
  /** JSON lines handled at once; beyond that stdin waits. */
  commandsAtOnce: 256,
  /** `id` of a JSON line where it is a string, characters. */
  requestIdChars: 64,
  /** Lines that wait for the next redraw of the prompt; a flood is written out in pieces of this size. */
  linesPerRedraw: 500,
  /** A line about a running transfer comes at most this often, milliseconds… */
  progressEveryMs: 2_000,
  /** …and only when this many percent were added, or after this much longer without. */
  progressStepPercent: 10,
  progressAtLeastEveryMs: 30_000,
  /** A second Ctrl-C leaves when it follows the first within this time, milliseconds. */
  interruptTwiceMs: 3_000,
  /** A password file, bytes read; a longer first line is a mistake. */
  passwordFileBytes: 4 * 1024,
  /** Wrong passwords that a person may type, as many as the server allows on one link (PROTOCOL.md 5.3). */
  passwordAttempts: 3,
} as const;
