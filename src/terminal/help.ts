/**
 * The instructions of `#HELP`, whole, to be read on one screen. Owns words only.
 */

/** At most 40 lines of at most 80 characters. */
export const HELP: readonly string[] = [
  'HOW TO USE P2P-CHAT',
  '',
  '  First see who is online, then open a session with somebody; after that, every',
  '  line you type goes to that person, directly and encrypted end to end.',
  '',
  '  GET_CLIENT_LIST [prefix]     /list      who is online',
  '  GET_CLIENT_INFO <user>       /connect   open a session with somebody',
  '  SEND_FILE <path>             /send      offer a file to the current peer',
  '  ACCEPT_FILE [n]              /accept    take an offered file (n: its number)',
  '  REJECT_FILE [n]              /reject    refuse an offered file',
  '  CANCEL_FILE [n]              /cancel    stop a running transfer',
  '  SWITCH_SESSION <user>        /switch    talk to another of your open sessions',
  '  CLOSE_SESSION                /close     end the current session',
  '  ACCEPT_SESSION [user]                   answer a request (with --sessions ask)',
  '  REJECT_SESSION [user]                   refuse a request',
  '  DISCONNECT_CLIENT            /quit      leave, when no session is open',
  '  #HELP                        /help      this text',
  '',
  'EXAMPLES',
  '  GET_CLIENT_INFO bob',
  '  Hello Bob, here is the report.',
  '  SEND_FILE ~/reports/march 2024.pdf',
  '  ACCEPT_FILE 1',
  '  CLOSE_SESSION',
  '',
  'GOOD TO KNOW',
  '  Commands may be written small, and as CMD arg, CMD<arg> or CMD "arg".',
  '  To send a line that looks like a command, begin it with a space, or with //.',
  '  The prompt shows who you talk to: "alice → bob> ", or "server> " for nobody.',
  '  Lines that begin with -- or !! come from this program, never from a person.',
  '  Received files are in the folder "received" of your p2p-chat folder.',
  '  Ctrl-C clears the line, twice leaves. Ctrl-D closes all sessions and leaves.',
];
