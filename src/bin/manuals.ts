/** The words of both manual pages that stand in no table: purpose, files, examples. */
import { COMMAND_GROUPS, COMMAND_NAMES, COMMANDS, usageOf } from '../terminal/command-table.js';
import type { CommandGroup } from '../terminal/command-table.js';
import type { Manual } from './man-page.js';

/** Every line of the example is one that the program takes; the README shows the same. */
export const CONFIG_EXAMPLE: readonly string[] = [
  '{',
  '  // Where p2p-client goes when no host is given.',
  '  "host": "chat.example.org",',
  '  "port": 9090,',
  '  "user": "alice",',
  '  "password-file": "~/.p2p-password",  // one line; readable by you only',
  '  "accept": "all",                     // files are taken without asking…',
  '  "accept-from": ["bob", "carol"],     // …from these two',
  '  "max-file": "2G",',
  '  "received": "~/Downloads",',
  '  "listen-port": 50000',
  '}',
];

function commandsOf(group: CommandGroup): Manual['commands'][number] {
  const names = COMMAND_NAMES.filter((name) => COMMANDS[name].group === group);
  const commands = names.map((name) => ({ usage: usageOf(name), short: COMMANDS[name].short, paragraphs: COMMANDS[name].help, examples: COMMANDS[name].examples }));
  return { group: COMMAND_GROUPS[group], commands };
}

export const CLIENT_MANUAL: Manual = {
  purpose: 'chat and send files directly, end-to-end encrypted',
  description: [
    'p2p-client logs in at a p2p-server, shows who is online, and opens a direct connection to another client for chat and files of any size. The server introduces people to each other; it sees no message, no file and no password.',
    'At a terminal it asks whether you are a new or a returning user, for name and password, and then shows a prompt. Without arguments it takes the server and the account of the last login. Where standard input is no terminal, it holds commands, one a line, each finished before the next; --exec does the same from arguments.',
  ],
  commandsIntroduction: 'Upper or lower case. Every other line is a message to the current peer. A line that only looks like a command is begun with a space or with //.',
  commands: (Object.keys(COMMAND_GROUPS) as CommandGroup[]).map(commandsOf),
  configuration: {
    paragraphs: [
      'config.json in the home folder is JSON in which comments and trailing commas are allowed. Its keys are the long names of the options; --home and --new cannot stand in it, and neither can a password. Relative paths are those of its folder; ~ is your home directory.',
      'What is given on the command line goes first, then the environment, then this file, then the last server. A port and a pin belong to the host beside them: with another host they do not count. --no-json and --no-stay turn off what the file or the environment turned on. An unknown key or a value of the wrong type is refused by name.',
    ],
    example: CONFIG_EXAMPLE,
  },
  files: [
    ['~/p2p-chat/config.json', 'Configuration, see above.'],
    ['~/p2p-chat/known_servers, ~/p2p-chat/known_peers', 'The keys of servers and people, pinned at first contact.'],
    ['~/p2p-chat/last-server.json', 'Server and account of the last login.'],
    ['~/p2p-chat/received', 'Received files.'],
    ['~/p2p-chat/partial', 'What has not arrived as a whole. It continues when the same is sent again, and is removed after 30 days.'],
  ],
  examples: [
    ['p2p-client chat.example.org 9090', 'Log in, being asked for everything:'],
    ["p2p-client chat.example.org 9090 --user alice --password-file ~/.p2p-password --exec 'GET_CLIENT_INFO bob' --exec 'SEND_FILE backups'", 'Send a folder, then leave:'],
    ['p2p-client chat.example.org 9090 --user inbox --password-file ~/.p2p-password --accept all --stay', 'A headless inbox:'],
  ],
  seeAlso: ['p2p-server'],
};

export const SERVER_MANUAL: Manual = {
  purpose: 'keep accounts and introduce the people who chat with p2p-client',
  description: [
    'p2p-server keeps accounts, knows who is online, and introduces people to each other, who then connect directly. It sees no message, no file and no password: login is OPAQUE (RFC 9807).',
    'When it is ready it prints two lines on standard output, p2p-server listening on ADDRESS:PORT and fingerprint SHA256:..., and then logs on standard error: text at a terminal, JSON lines elsewhere. To back it up, stop it and copy its data folder.',
  ],
  commandsIntroduction: '',
  commands: [],
  configuration: undefined,
  files: [['~/.p2p-server', "Accounts and the server's keys."]],
  examples: [['p2p-server --port 9090 --data /var/lib/p2p-chat', 'Serve at port 9090, with the accounts in a folder of the system:']],
  seeAlso: ['p2p-client'],
};
