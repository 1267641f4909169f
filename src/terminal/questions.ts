/**
 * The start-up questions at a real terminal, by readline-sync: the only place of the program that blocks.
 *
 * readline-sync hides input by reading raw keys, and then Backspace and Ctrl-C do nothing. So where `stty` exists, echo is
 * turned off instead and the line is read as any other: editing, Ctrl-C, pasted and non-ASCII passwords work as people
 * know them. Node gives the terminal its echo back even when a signal ends the program.
 */
import { spawnSync } from 'node:child_process';
import readlineSync from 'readline-sync';
import { P2pError } from '../protocol/errors.js';
import type { Questioner } from './sign-in.js';

/** One line from a terminal; Linux takes at most 4095 bytes, and a password never comes in two reads. */
const LINE_BYTES = 4096;

const DELETE_CHAR = /[\b\x7f]/u;
const DELETE_LINE = '\x15';
const INTERRUPT = '\x03';
const END_OF_INPUT = '\x04';
/** What readline-sync keeps of an end of input. */
const NOTHING_READ = '\0';

export const terminalQuestioner: Questioner = {
  ask: (question) => read(question, false),
  askHidden(question) {
    if (!setEcho(false)) return editedLine(readRaw(question, true));
    try {
      const reply = read(question, false);
      // The line end was not shown either.
      shown().write('\n');
      return reply;
    } finally {
      setEcho(true);
    }
  },
  say: (text) => void shown().write(`${text}\n`),
};

/** Where the person looks: stdout may be a file that something else goes to. */
function shown(): NodeJS.WriteStream {
  return process.stdout.isTTY ? process.stdout : process.stderr;
}

function read(question: string, hidden: boolean): string | undefined {
  const raw = readRaw(question, hidden);
  return raw.endsWith(NOTHING_READ) ? undefined : raw.replace(/[\r\n][^]*$/u, '');
}

function readRaw(question: string, hidden: boolean): string {
  try {
    readlineSync.question(question, { hideEchoBack: hidden, mask: '', keepWhitespace: true, history: false, cd: false, bufferSize: LINE_BYTES });
    return readlineSync.getRawInput();
  } catch (cause) {
    throw new P2pError('usage', 'This terminal cannot be asked. Give --user NAME and --password-file FILE, or P2P_PASSWORD.', { cause });
  }
}

function setEcho(on: boolean): boolean {
  if (process.platform === 'win32') return false;
  return spawnSync('stty', [on ? 'echo' : '-echo'], { stdio: ['inherit', 'ignore', 'ignore'] }).status === 0;
}

/**
 * Raw keys → the line they make, or undefined for Ctrl-C and Ctrl-D, which are noticed only with the line end.
 */
export function editedLine(keys: string): string | undefined {
  const line: string[] = [];
  for (const key of keys) {
    if (key === '\r' || key === '\n') break;
    if (key === INTERRUPT || key === END_OF_INPUT || key === NOTHING_READ) return undefined;
    if (key === DELETE_LINE) line.length = 0;
    else if (DELETE_CHAR.test(key)) line.pop();
    else if (key >= ' ') line.push(key);
  }
  return line.join('');
}
