/** One complete message of every type of both links, and the ways of spoiling one that hold for all of them. */
import type { ClientMessage, ClientMessageOf, ServerMessage, ServerMessageOf } from '../../src/protocol/server-messages.js';
import type { PeerMessage, PeerMessageOf } from '../../src/protocol/peer-messages.js';

const introduction = 'AAECAwQFBgcICQoLDA0ODw';
const fingerprint = `SHA256:${'Ab+/'.repeat(10)}Abc`;
const publicKey = 'k'.repeat(59);
const signature = 's'.repeat(86);
const mac = 'm'.repeat(43);
const reach = { port: 40_000, candidates: [{ address: '192.168.1.5', port: 40_000 }, { address: 'fd00::5', port: 40_001 }] };
const identity = { user: 'alice', fingerprint };
const hash = 'af'.repeat(32);
const listed = [
  { name: 'a.txt', size: 5, modified: 1_700_000_000_000 },
  { folder: ['b'], modified: 0 },
  { folder: ['b', 'c d'], modified: -1 },
  { name: '\u{1f600}', size: 0, modified: 0 },
];

export const clientMessages: { readonly [Type in ClientMessage['type']]: ClientMessageOf<Type> } = {
  hello: { type: 'hello', versions: [1, 2], features: ['x'], agent: 'p2p-chat/0.1.0' },
  'name-check': { type: 'name-check', id: 1, user: 'alice' },
  'register-start': { type: 'register-start', id: 2, user: 'alice', request: 'AAAA' },
  'register-finish': { type: 'register-finish', id: 3, record: 'AAAA', publicKey, sealedKey: 'BBBB', signature },
  'login-start': { type: 'login-start', id: 4, user: 'alice', request: 'AAAA' },
  'login-finish': { type: 'login-finish', id: 5, finish: 'AAAA', proof: mac },
  resume: { type: 'resume', id: 6, user: 'alice', signature },
  list: { type: 'list', id: 7, prefix: 'al', after: 'alan' },
  connect: { type: 'connect', id: Number.MAX_SAFE_INTEGER, to: 'bob', reach },
  answer: { type: 'answer', introduction, reach },
  away: { type: 'away', id: 9, text: 'lunch' },
  watch: { type: 'watch', id: 10, users: ['bob', 'Carol'] },
  ping: { type: 'ping' },
  pong: { type: 'pong' },
  bye: { type: 'bye' },
};

export const serverMessages: { readonly [Type in ServerMessage['type']]: ServerMessageOf<Type> } = {
  hello: { type: 'hello', version: 1, features: [], agent: 'p2p-chat/0.1.0' },
  'name-free': { type: 'name-free', id: 1 },
  'register-response': { type: 'register-response', id: 2, response: 'AAAA' },
  registered: { type: 'registered', id: 3 },
  'login-response': { type: 'login-response', id: 4, response: 'AAAA' },
  welcome: { type: 'welcome', id: 5, user: 'Alice', publicKey, sealedKey: 'BBBB', proof: mac, observed: { address: '203.0.113.5', port: 50_000 } },
  clients: { type: 'clients', id: 6, clients: ['alice', 'Bob'], total: 3, next: 'Bob', away: [{ user: 'Bob', text: 'lunch' }] },
  'away-set': { type: 'away-set', id: 9 },
  watching: { type: 'watching', id: 10, present: [{ user: 'bob', away: 'lunch' }] },
  presence: { type: 'presence', user: 'bob', state: 'away', text: 'lunch' },
  asked: { type: 'asked', introduction, from: identity },
  introduction: { type: 'introduction', id: 7, introduction, role: 'asker', peer: identity, candidates: reach.candidates },
  error: { type: 'error', id: 8, code: 'unavailable', message: 'bob cannot be reached.' },
  ping: { type: 'ping' },
  pong: { type: 'pong' },
  bye: { type: 'bye', code: 'shutting-down', message: '' },
};

export const peerMessages: { readonly [Type in PeerMessage['type']]: PeerMessageOf<Type> } = {
  hello: { type: 'hello', introduction, versions: [1], features: ['x'], agent: 'p2p-chat/0.1.0', session: introduction, taken: 0, ended: true },
  go: { type: 'go' },
  chat: { type: 'chat', number: 1, text: 'hello \u{1f600}' },
  'chat-ack': { type: 'chat-ack', number: 1 },
  offer: { type: 'offer', transfer: 1, kind: 'file', name: 'a.txt', size: 5, files: 1, counted: true, modified: 1_700_000_000_000 },
  tally: { type: 'tally', transfer: 1, size: 5, files: 2, counted: false },
  'offers-end': { type: 'offers-end' },
  survey: { type: 'survey', transfer: 1, first: 0 },
  surveyed: { type: 'surveyed', transfer: 1, first: 0, entries: listed, last: false },
  accept: { type: 'accept', transfer: 1, credit: 1, settled: { entries: 3, blake3: hash } },
  reject: { type: 'reject', transfer: 1, code: 'rejected', message: '' },
  entries: { type: 'entries', transfer: 1, first: 512, entries: listed, last: true },
  plan: {
    type: 'plan',
    transfer: 1,
    first: 512,
    count: 4,
    have: [{ entry: 513, points: [{ bytes: 1, blake3: hash }, { bytes: 5, blake3: hash }] }],
    skip: [514, 515],
  },
  credit: { type: 'credit', transfer: 1, upTo: 5 },
  pause: { type: 'pause', transfer: 1, by: 'sender', reason: 'person' },
  resume: { type: 'resume', transfer: 1, by: 'receiver' },
  waits: { type: 'waits', transfer: 1, by: 'sender', on: 'disk' },
  verified: { type: 'verified', transfer: 0xffff_ffff, same: 0, refused: 0 },
  cancel: { type: 'cancel', transfer: 1, by: 'receiver', code: 'disk-full', message: 'No room.' },
  move: { type: 'move', introduction },
  'move-to': { type: 'move-to', port: 65_535 },
  moved: { type: 'moved' },
  ping: { type: 'ping' },
  pong: { type: 'pong' },
  error: { type: 'error', code: 'bad-message', message: '' },
  close: { type: 'close' },
};

/** Fields that may be missing, and the fields that may be null. */
const OPTIONAL: ReadonlySet<string> = new Set([
  'list.prefix', 'list.after', 'welcome.proof', 'clients.next', 'clients.away', 'away.text', 'watching.present[0].away', 'presence.text', 'introduction.id', 'error.id', 'hello.session', 'hello.taken', 'hello.ended', 'accept.settled',
]);
const NULLABLE: ReadonlySet<string> = new Set(['answer.reach', 'offer.size', 'offer.modified']);

/** Numbers that may be 0. */
const FROM_ZERO: ReadonlySet<string> = new Set([
  'total', 'credit', 'upTo', 'size', 'bytes', 'files', 'first', 'count', 'entry', 'entries', 'same', 'refused', 'skip', 'taken', 'modified',
]);

/** JSON texts of `message`, each with one thing wrong at any depth, and what that is. */
export function spoiled(message: object & { readonly type: string }): [what: string, text: string][] {
  const cases: [string, string][] = [];
  const walk = (value: unknown, name: string, field: string, write: (json: string | undefined) => string): void => {
    const put = (what: string, json: string): void => void cases.push([`${name} ${what}`, write(json)]);
    if (!OPTIONAL.has(name) && !name.endsWith(']')) cases.push([`${name} missing`, write(undefined)]);
    if (!NULLABLE.has(name)) put('null', 'null');
    for (const [what, json] of wrongShapes(field, value)) put(what, json);
    if (Array.isArray(value)) {
      for (const [index, one] of value.entries()) {
        walk(one, `${name}[${index}]`, field, (json) => write(`[${value.map((other, at) => (at === index ? json : JSON.stringify(other))).join(',')}]`));
      }
    } else if (typeof value === 'object' && value !== null) walkFields(value, name, write);
  };
  const walkFields = (parent: object, name: string, write: (json: string) => string): void => {
    for (const [field, value] of Object.entries(parent)) {
      const others = Object.entries(parent).filter(([other]) => other !== field);
      const rest = others.map(([key, one]) => `${JSON.stringify(key)}:${JSON.stringify(one)}`);
      walk(value, `${name}.${field}`, field, (json) => write(`{${[...rest, ...(json === undefined ? [] : [`"${field}":${json}`])].join(',')}}`));
    }
  };
  walkFields(message, message.type, (json) => json);
  return cases;
}

function wrongShapes(field: string, value: unknown): [string, string][] {
  const shapes: [string, string][] = [['a nested object', '{"x":{}}'], ['a nested array', '[[]]']];
  if (typeof value === 'number') shapes.push(...WRONG_NUMBERS.filter(([what]) => field !== 'modified' || what !== '-1'));
  else shapes.push(['a number', '1']);
  if (typeof value !== 'boolean') shapes.push(['true', 'true']);
  if (typeof value === 'string') shapes.push(['a list of it', JSON.stringify([value])], ['of 60,000 characters', JSON.stringify('A'.repeat(60_000))]);
  else shapes.push(['a string', JSON.stringify(String(value))]);
  if (typeof value === 'number' && !FROM_ZERO.has(field)) shapes.push(['0', '0']);
  return shapes;
}

/** No count, id, offset or size may be any of these (HOSTILE 28). JSON has no NaN: see {@link notNumbers}. */
const WRONG_NUMBERS: [string, string][] = [
  ['-1', '-1'],
  ['1.5', '1.5'],
  ['2^53', '9007199254740992'],
  ['2^53 + 1', '9007199254740993'],
  ['2^63', '9223372036854775808'],
  ['2^64', '18446744073709551616'],
  ['1e300', '1e300'],
  ['1e999', '1e999'],
  ['-2^63', '-9223372036854775808'],
  ['NaN', 'NaN'],
  ['NaN as text', '"NaN"'],
  ['a number as text', '"5"'],
];

/** What is no user name (HOSTILE 9), wherever one is expected. */
export const badUserNames: [why: string, name: string][] = [
  ['empty', ''],
  ['33 characters', 'a'.repeat(33)],
  ['10,000 characters', 'a'.repeat(10_000)],
  ['a space inside', 'al ice'],
  ['a space in front', ' alice'],
  ['a space behind', 'alice '],
  ['a no-break space', 'al\u00a0ice'],
  ['an ideographic space', 'alice\u3000'],
  ['NUL', 'alice\0'],
  ['a line feed behind', 'alice\n'],
  ['a carriage return', '\ralice'],
  ['a tab', 'al\tice'],
  ['escape', '\u001b[31malice'],
  ['DEL', 'alice\u007f'],
  ['C1 CSI', '\u009b31malice'],
  ['right-to-left override', 'ali\u202ece'],
  ['a right-to-left mark', 'alice\u200f'],
  ['a bidi isolate', '\u2066alice'],
  ['a zero-width space', 'al\u200bice'],
  ['a zero-width joiner', 'al\u200dice'],
  ['a byte order mark', '\ufeffalice'],
  ['a soft hyphen', 'al\u00adice'],
  ['a variation selector', 'alice\ufe0f'],
  ['a tag character', 'alice\u{e0061}'],
  ['Cyrillic a', '\u0430lice'],
  ['Cyrillic ie', 'alic\u0435'],
  ['Greek omicron', 'b\u03bfb'],
  ['a full-width letter', '\uff41lice'],
  ['a dotless i', 'al\u0131ce'],
  ['the Kelvin sign, whose lower case is k', '\u212aim'],
  ['the long s, whose upper case is S', 'bo\u017fs'],
  ['a composed accent', '\u00e9va'],
  ['a combining accent', 'e\u0301va'],
  ['an emoji', '\u{1f600}'],
  ['a lone surrogate', 'al\ud800'],
  ['a leading dot', '.alice'],
  ['a leading dash', '-alice'],
  ['a leading underscore', '_alice'],
  ['a slash', 'a/b'],
  ['a backslash', 'a\\b'],
  ['angle brackets, the form of a command', 'CLIENT_LIST<bob>'],
  ['a comma, the separator of the list', 'alice,bob'],
  ['a colon', 'alice:'],
  ['an at sign', 'alice@host'],
  ['quotes', '"alice"'],
];
