/**
 * What either program does instead of running: `completion SHELL` and `man-page`. Which arguments ask for that is
 * verb-arguments.ts's, which needs none of this.
 */
import type { ProgramShape } from '../protocol/option-shape.js';
import { bashCompletion } from './completion/bash.js';
import { completedWords, SHELLS } from './completion/completed-words.js';
import { fishCompletion } from './completion/fish.js';
import { zshCompletion } from './completion/zsh.js';
import { manPage } from './man-page.js';
import type { Manual } from './man-page.js';

const SCRIPTS = { bash: bashCompletion, zsh: zshCompletion, fish: fishCompletion } as const;

/** What there is to say and the exit code. */
export interface VerbResult {
  readonly stdout: string;
  readonly stderr: string;
  readonly failed: boolean;
}

/** @param commands Words that may stand behind `--exec`. */
export function runVerb(argv: readonly string[], program: ProgramShape, manual: Manual, commands: readonly string[], version: string): VerbResult {
  if (argv[0] === 'man-page') return said(manPage(program, manual, version));
  const shell = SHELLS.find((one) => one === argv[1]);
  if (shell === undefined) return { stdout: '', stderr: `${program.name}: completion takes a shell: ${SHELLS.join(', ')}. For example: source <(${program.name} completion bash)\n`, failed: true };
  return said(SCRIPTS[shell](completedWords(program, commands)));
}

function said(stdout: string): VerbResult {
  return { stdout, stderr: '', failed: false };
}
