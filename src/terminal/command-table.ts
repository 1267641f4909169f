/**
 * The one table of commands: names, short forms, arguments, one line and a page of help each.
 *
 * `#HELP`, completion, the grey hint behind a typed command and the manual page are made from it, and the README's table is held
 * against it. How an argument is read stands in commands.ts, what a command does in perform.ts.
 */

/** What an argument is, for completion. Whether it may be left out shows in its written form. */
export type ArgumentKind =
  /** The beginning of a user name. */
  | 'prefix'
  /** Somebody, online or not. */
  | 'user'
  /** A peer with an open session, or its number. */
  | 'session'
  /** Somebody who asks for a session. */
  | 'request'
  /** The number of an offer that waits for an answer. */
  | 'offer'
  /** The number of an offer or transfer that has not ended. */
  | 'transfer'
  | 'path'
  | 'rate'
  /** The name of a command, or of a topic of the help. */
  | 'topic'
  | 'text'
  | 'none';

/** Under what heading a command stands. In this order. */
export const COMMAND_GROUPS = { people: 'People', sessions: 'Sessions', files: 'Files', program: 'This program' } as const;

export type CommandGroup = keyof typeof COMMAND_GROUPS;

export interface CommandEntry {
  /** Short forms are those of chat programs; the first is the usual one. */
  readonly short: readonly string[];
  readonly group: CommandGroup;
  readonly argument: ArgumentKind;
  /** As written after the name: `<user>`, in square brackets where it may be left out; empty for none. */
  readonly form: string;
  /** At most 38 characters: a row of `#HELP` holds it beside name and short form. */
  readonly summary: string;
  /** Whole sentences, one paragraph each, for `#HELP <command>` and the manual page. */
  readonly help: readonly string[];
  /** Whole lines as typed. */
  readonly examples: readonly string[];
}

const TABLE = {
  GET_CLIENT_LIST: {
    short: ['/list', '/who'],
    group: 'people',
    argument: 'prefix',
    form: '[prefix]',
    summary: 'who is online',
    help: ['Shows everybody who is online, you included, sorted. With the beginning of a name it shows only those whose names begin so.'],
    examples: ['GET_CLIENT_LIST', 'GET_CLIENT_LIST bo'],
  },
  GET_CLIENT_INFO: {
    short: ['/connect'],
    group: 'people',
    argument: 'user',
    form: '<user>',
    summary: 'open a session with somebody',
    help: [
      'Asks for somebody and opens a session: a connection from your computer to theirs, encrypted end to end. What you type from then on goes to this person.',
      'With whom a session is open already, that session becomes the current one; one whose connection broke is tried again at once.',
    ],
    examples: ['GET_CLIENT_INFO bob', '/connect bob'],
  },
  AWAY: {
    short: ['/away'],
    group: 'people',
    argument: 'text',
    form: '[text]',
    summary: 'say that you are away; alone: back',
    help: [
      'Tells everybody who is online that you are away and why; GET_CLIENT_LIST shows it. Alone it takes that back. You still receive everything.',
      'It is not stored and ends with the program. In capital letters, or as /away: "away for a week" is a message.',
    ],
    examples: ['AWAY lunch, back at two', 'AWAY'],
  },
  BLOCK: {
    short: ['/block'],
    group: 'people',
    argument: 'user',
    form: '<user>',
    summary: 'want nothing to do with somebody',
    help: [
      'Ends a session with this person and all its transfers, and refuses from now on whatever they ask for. They cannot tell: you look as if you were offline or did not want to.',
      'It is kept in the file "blocked" of your p2p-chat folder, by name and by key. GET_CLIENT_LIST still names both of you to each other.',
    ],
    examples: ['BLOCK mallory'],
  },
  UNBLOCK: {
    short: ['/unblock'],
    group: 'people',
    argument: 'user',
    form: '<user>',
    summary: 'take BLOCK back',
    help: ['Lets somebody ask for you again whom you had blocked.'],
    examples: ['UNBLOCK mallory'],
  },
  LIST_BLOCKED: {
    short: ['/blocked'],
    group: 'people',
    argument: 'none',
    form: '',
    summary: 'whom you have blocked',
    help: ['Shows whom you have blocked on this server.'],
    examples: ['LIST_BLOCKED'],
  },
  WHOIS: {
    short: ['/whois'],
    group: 'people',
    argument: 'user',
    form: '<user>',
    summary: 'key, path and round trip of somebody',
    help: [
      'Shows what is known of somebody: whether online, the key and since when it is known, whether you verified it; with an open session also its path, addresses, round trip, age, and bytes.',
    ],
    examples: ['WHOIS bob'],
  },
  VERIFY: {
    short: ['/verify'],
    group: 'people',
    argument: 'user',
    form: '<user> [yes|no]',
    summary: 'compare keys, so that nobody listens',
    help: [
      'Shows the safety number of you and somebody else, as digits and as words. The other side types VERIFY as well; where nobody sits between you, both see the same.',
      'Compare it on another channel: a call, or face to face. Then VERIFY <user> yes marks this person as verified, and VERIFY <user> no takes that back.',
    ],
    examples: ['VERIFY bob', 'VERIFY bob yes'],
  },
  ACCEPT_KEY: {
    short: ['/accept-key'],
    group: 'people',
    argument: 'user',
    form: '<user> [end]',
    summary: 'take a changed key for the right one',
    help: [
      'When the key of somebody changes, nothing is sent or received until you decide. Ask this person on another channel first; VERIFY shows what to compare.',
      'Of somebody whom you had verified, the last 8 characters of the new key are needed too. A whole key, SHA256:…, may be given before it was ever offered.',
    ],
    examples: ['ACCEPT_KEY bob', 'ACCEPT_KEY bob Zk3q1x+A'],
  },
  SWITCH_SESSION: {
    short: ['/switch'],
    group: 'sessions',
    argument: 'session',
    form: '<user|number>',
    summary: 'talk to another open session',
    help: [
      'Chooses which of your open sessions gets what you type. Each session has a number that stays as long as it is open; /1 to /9 and Alt with a digit switch at once.',
      'The prompt shows who waits with unread messages.',
    ],
    examples: ['SWITCH_SESSION bob', 'SWITCH_SESSION 2', '/2'],
  },
  SAY_ALL: {
    short: ['/all'],
    group: 'sessions',
    argument: 'text',
    form: '<text>',
    summary: 'say it to every open session',
    help: ['Sends one message to everybody with whom a session is open. The rest of the line is the text as it is, quotation marks included.', 'Each of them gets it for themselves and does not see who else did.'],
    examples: ['SAY_ALL I am off, see you tomorrow.'],
  },
  CLOSE_SESSION: {
    short: ['/close'],
    group: 'sessions',
    argument: 'none',
    form: '',
    summary: 'end the current session',
    help: ['Ends the current session on both sides. Transfers that are under way in it stop; they continue when the same file is sent again.'],
    examples: ['CLOSE_SESSION'],
  },
  ACCEPT_SESSION: {
    short: ['/accept-session'],
    group: 'sessions',
    argument: 'request',
    form: '[user]',
    summary: 'answer a request (--sessions ask)',
    help: ['Lets somebody in who asks for a session. Only with the option --sessions ask are you asked. Without a name it answers the oldest request.'],
    examples: ['ACCEPT_SESSION', 'ACCEPT_SESSION bob'],
  },
  REJECT_SESSION: {
    short: ['/reject-session'],
    group: 'sessions',
    argument: 'request',
    form: '[user]',
    summary: 'refuse a request',
    help: ['Refuses a session. The other side is not told your reason. Without a name it answers the oldest request.'],
    examples: ['REJECT_SESSION', 'REJECT_SESSION bob'],
  },
  SEND_FILE: {
    short: ['/send'],
    group: 'files',
    argument: 'path',
    form: '<path>',
    summary: 'offer a file or folder to the peer',
    help: [
      'Offers a file or a whole folder to the current peer, who accepts or refuses it. ~ is your home directory; spaces need no quotes.',
      'What was interrupted continues where it was when the same path is sent again. With - and a name, what comes on stdin is sent (--exec only).',
    ],
    examples: ['SEND_FILE report.pdf', 'SEND_FILE ~/pictures/march 2024', 'SEND_FILE - backup.tar'],
  },
  ACCEPT_FILE: {
    short: ['/accept'],
    group: 'files',
    argument: 'offer',
    form: '[n]',
    summary: 'take an offer (n: its number); Ctrl-Y',
    help: ['Takes what a peer offers. Without a number it takes the oldest offer; Ctrl-Y does the same at any moment, whatever is typed.'],
    examples: ['ACCEPT_FILE', 'ACCEPT_FILE 3'],
  },
  REJECT_FILE: {
    short: ['/reject'],
    group: 'files',
    argument: 'offer',
    form: '[n]',
    summary: 'refuse an offer; Ctrl-N',
    help: ['Refuses what a peer offers. Without a number it refuses the oldest offer; Ctrl-N does the same.'],
    examples: ['REJECT_FILE', 'REJECT_FILE 3'],
  },
  PAUSE_FILE: {
    short: ['/pause'],
    group: 'files',
    argument: 'transfer',
    form: '[n]',
    summary: 'hold a transfer',
    help: ['Holds a transfer on both sides until RESUME_FILE. Without a number it takes the only one under way.'],
    examples: ['PAUSE_FILE', 'PAUSE_FILE 2'],
  },
  RESUME_FILE: {
    short: ['/resume'],
    group: 'files',
    argument: 'transfer',
    form: '[n]',
    summary: 'let it go on',
    help: ['Lets a transfer go on that PAUSE_FILE holds.'],
    examples: ['RESUME_FILE', 'RESUME_FILE 2'],
  },
  CANCEL_FILE: {
    short: ['/cancel'],
    group: 'files',
    argument: 'transfer',
    form: '[n]',
    summary: 'stop a transfer for good',
    help: ['Stops a transfer, or takes back an offer. Without a number it takes the only one under way.'],
    examples: ['CANCEL_FILE', 'CANCEL_FILE 2'],
  },
  LIST_FILES: {
    short: ['/files'],
    group: 'files',
    argument: 'none',
    form: '',
    summary: 'all transfers, and what is unfinished',
    help: ['Shows offers and transfers with their numbers, and what was interrupted earlier and continues when it is sent again.'],
    examples: ['LIST_FILES'],
  },
  LIMIT_RATE: {
    short: ['/limit'],
    group: 'files',
    argument: 'rate',
    form: '[10M|off]',
    summary: 'most bytes a second, each direction',
    help: ['Limits all sending together and, separately, all receiving, in bytes a second: 500K, 10M, 1.5G. Without an argument it shows the limit; off takes it back.'],
    examples: ['LIMIT_RATE 10M', 'LIMIT_RATE off', 'LIMIT_RATE'],
  },
  WAIT_FOR: {
    short: [],
    group: 'program',
    argument: 'text',
    form: '<what> [who] [time]',
    summary: 'wait until it is so (for scripts)',
    help: [
      'Waits, in a script before the next line is run. What: online or offline (and who), session, closed (the session has ended), offer (it waits for your answer), message, file (received whole and verified). Without a name anybody will do.',
      'The time is such as 30s, 10m, 1h30m or 2d; when it has passed, the command fails. Without a time it waits without limit.',
      'What is so already counts. Messages and files count once each, from the start of the program on, unless an earlier WAIT_FOR counted them.',
    ],
    examples: ['WAIT_FOR online bob', 'WAIT_FOR session bob 10m', 'WAIT_FOR message bob 30s', 'WAIT_FOR file'],
  },
  DISCONNECT_CLIENT: {
    short: ['/quit', '/exit'],
    group: 'program',
    argument: 'none',
    form: '',
    summary: 'leave, when no session is open',
    help: ['Leaves. While a session is open it is refused with the reason; Ctrl-D closes all sessions and leaves.'],
    examples: ['DISCONNECT_CLIENT'],
  },
  '#HELP': {
    short: ['/help'],
    group: 'program',
    argument: 'topic',
    form: '[command]',
    summary: 'this text, or one command in full',
    help: ['Shows all commands on one screen, or everything about one of them. #HELP KEYS explains the keys.'],
    examples: ['#HELP', '#HELP SEND_FILE', '#HELP keys'],
  },
} as const satisfies Readonly<Record<string, CommandEntry>>;

export type CommandName = keyof typeof TABLE;

/** Every command, in the order in which the help shows them within their groups. */
export const COMMANDS: Readonly<Record<CommandName, CommandEntry>> = TABLE;

export const COMMAND_NAMES = Object.keys(TABLE) as readonly CommandName[];

/** In upper case: every name and short form. */
const BY_WORD: ReadonlyMap<string, CommandName> = new Map(
  COMMAND_NAMES.flatMap((name) => [name, ...COMMANDS[name].short].map((word) => [word.toUpperCase(), name] as const)),
);

/** All words that begin a command: names as shown, then short forms. */
export const COMMAND_WORDS: readonly string[] = [...COMMAND_NAMES, ...COMMAND_NAMES.flatMap((name) => COMMANDS[name].short)];

/** The command that `word` names, in whatever case; short forms too. */
export function commandNamed(word: string): CommandName | undefined {
  return BY_WORD.get(word.toUpperCase());
}

/** Name and argument as written: `SEND_FILE <path>`. */
export function usageOf(name: CommandName): string {
  return `${name} ${COMMANDS[name].form}`.trimEnd();
}
