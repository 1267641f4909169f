/**
 * The instructions: `#HELP` whole, to be read on one screen; `#HELP <command>` for one of them. Made from the table of commands.
 */
import type { CommandName } from './command-table.js';
import { COMMANDS, COMMAND_NAMES, usageOf } from './command-table.js';

/** What there is help about besides the commands. */
export const HELP_TOPICS = ['KEYS'] as const;

export type HelpTopic = CommandName | (typeof HELP_TOPICS)[number];

const USAGE_CELLS = 29;
const SHORT_CELLS = 10;
/** The width that every terminal has at least. */
const ROW_CELLS = 80;

function row(name: CommandName): string {
  const { short, summary } = COMMANDS[name];
  // A long one is no shorter to type; #HELP <command> names it.
  const shown = short.find((word) => word.length < SHORT_CELLS) ?? '';
  return `  ${usageOf(name).padEnd(USAGE_CELLS - 1)} ${shown.padEnd(SHORT_CELLS)}${summary}`;
}

/** At most 48 lines of at most 80 characters. */
export const HELP: readonly string[] = [
  'HOW TO USE P2P-CHAT',
  '  First see who is online, then open a session with somebody; after that, every',
  '  line you type goes to that person, directly and encrypted end to end.',
  '',
  ...COMMAND_NAMES.map(row),
  '',
  'GOOD TO KNOW',
  '  #HELP <command> explains one in full, #HELP KEYS the keys. Tab completes.',
  '  Commands with _ or / may be written small; CMD arg, CMD<arg>, CMD "arg".',
  '  To send a line that looks like a command, begin it with a space, or with //.',
  '  The prompt shows who you talk to: "alice → bob> ", or "server> " for nobody.',
  '  Lines that begin with -- or !! come from this program, never from a person.',
  '  Ctrl-Y and Ctrl-N answer the oldest waiting offer; what you typed stays.',
  '  A transfer that was interrupted continues when the same is sent again.',
  '  Received files are in "received" of your p2p-chat folder, or in --received.',
  '  Ctrl-C clears the line, twice leaves. Ctrl-D closes all sessions and leaves.',
];

const KEYS: readonly string[] = [
  'KEYS',
  '  Tab                completes commands, names, paths, numbers; twice lists',
  '  Up, Down           earlier lines; Ctrl-R searches them, Ctrl-G gives it up',
  '  Ctrl-A, Ctrl-E     beginning and end of the line; Home, End',
  '  Alt-B, Alt-F       a word back, a word on; Ctrl-Left, Ctrl-Right',
  '  Ctrl-W, Alt-D      cut the word before or behind the cursor',
  '  Ctrl-U, Ctrl-K     cut to the beginning or the end of the line',
  '  Ctrl-_, Ctrl-T     undo; exchange two letters',
  '  Alt-.              the last word of the line before, once more of one older',
  '  Alt-Enter          begins another line of the same message',
  '  Ctrl-Y             puts it in again; while an offer waits, accepts that offer',
  '  Ctrl-N             the next line; while an offer waits, refuses that offer',
  '  Alt-1 to Alt-9     switch to that session',
  '  Ctrl-L             clears the screen',
  '  Ctrl-C             clears the line; twice on an empty line leaves',
  '  Ctrl-D             on an empty line closes all sessions and leaves',
];

/** What `#HELP` shows about `topic`; all commands where there is none. */
export function helpText(topic: HelpTopic | undefined): readonly string[] {
  if (topic === undefined) return HELP;
  return topic === 'KEYS' ? KEYS : helpOfCommand(topic);
}

function helpOfCommand(name: CommandName): string[] {
  const { short, summary, help, examples } = COMMANDS[name];
  return [
    `${usageOf(name)}: ${summary}`,
    ...help.flatMap((paragraph) => wrapped(paragraph)),
    ...(short.length === 0 ? [] : [`  Short: ${short.join(', ')}`]),
    `  For example:`,
    ...examples.map((example) => `    ${example}`),
  ];
}

/** Rows of words, two cells in from the edge. */
function wrapped(paragraph: string): string[] {
  const rows: string[] = [];
  let current = ' ';
  for (const word of paragraph.split(' ')) {
    if (current.length + 1 + word.length > ROW_CELLS) {
      rows.push(current);
      current = ' ';
    }
    current += ` ${word}`;
  }
  return [...rows, current];
}
