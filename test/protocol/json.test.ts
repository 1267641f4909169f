/** JSON from the other side (PROTOCOL.md 3; HOSTILE 6): what is taken, what is refused, and that refusing stays cheap. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RemoteViolation } from '../../src/protocol/errors.js';
import { encodeJson, parseJson } from '../../src/protocol/json.js';
import { jsonLimits } from '../../src/protocol/limits.js';
import { beforeLogin, byteByByte, cutAt, readFrames, textFrame } from './reading.js';

const parse = (text: string): Record<string, unknown> => parseJson(Buffer.from(text, 'utf8'));

function badMessage(error: unknown): boolean {
  return error instanceof RemoteViolation && error.code === 'bad-message';
}

/** An object nested `depth` deep, objects and arrays in turn. */
function nested(depth: number): string {
  const open = Array.from({ length: depth }, (_, level) => (level % 2 === 0 ? '{"a":' : '['));
  const close = open.map((one) => (one === '[' ? ']' : '}')).reverse();
  return `${open.join('')}0${close.join('')}`;
}

const taken: [name: string, text: string, value: Record<string, unknown>][] = [
  ['an empty object', '{}', {}],
  ['white space around everything', ' \t\r\n{ "a" : 1 , "b" :\n[ ] }\n', { a: 1, b: [] }],
  ['the same key in two objects', '{"a":{"x":1},"b":{"x":2},"c":[{"x":3},{"x":4}],"x":5}', { a: { x: 1 }, b: { x: 2 }, c: [{ x: 3 }, { x: 4 }], x: 5 }],
  ['a value that reads like a key', '{"a":"a","b":["a","a","a"]}', { a: 'a', b: ['a', 'a', 'a'] }],
  ['brackets and quotes inside strings', String.raw`{"a":"{[{[{[{[{[\"\\","]}":"\\\\\""}`, { a: '{[{[{[{[{["\\', ']}': '\\\\"' }],
  ['a colon inside a string value', '{"a":"b\\":","c":":"}', { a: 'b":', c: ':' }],
  ['forbidden words as values', '{"a":"__proto__","b":"constructor"}', { a: '__proto__', b: 'constructor' }],
  ['keys that only objects have by birth', '{"constructor":1,"toString":2,"hasOwnProperty":3}', { constructor: 1, toString: 2, hasOwnProperty: 3 }],
  ['the largest exact integer', '{"a":9007199254740991}', { a: Number.MAX_SAFE_INTEGER }],
  ['the largest finite number', '{"a":1.7976931348623157e308}', { a: Number.MAX_VALUE }],
  ['characters of four bytes', '{"a":"\u{1f600}"}', { a: '\u{1f600}' }],
  ['a byte order mark inside a string', '{"a":"\ufeff"}', { a: '\ufeff' }],
];

const refusedText: [name: string, text: string][] = [
  ['nothing but space', ' '],
  ['a number', '1'],
  ['a string', '"{}"'],
  ['null', 'null'],
  ['an array', '[{}]'],
  ['two objects', '{}{}'],
  ['an unfinished object', '{"a":1'],
  ['an unfinished string', '{"a":"'],
  ['a string that ends in a backslash', '{"a":"\\'],
  ['a comment', '{/**/}'],
  ['a trailing comma', '{"a":1,}'],
  ['single quotes', "{'a':1}"],
  ['a NUL behind it', '{}\0'],
  ['a no-break space behind it', '{}\u00a0'],
  ['a raw line feed in a string', '{"a":"\n"}'],
  ['NaN', '{"a":NaN}'],
  ['Infinity', '{"a":Infinity}'],
  ['a leading zero', '{"a":01}'],
  ['hexadecimal', '{"a":0x10}'],
  ['1e999', '{"a":1e999}'],
  ['-1e999, deep', '{"a":[{"b":-1e999}]}'],
  ['a number of 400 digits', `{"a":${'9'.repeat(400)}}`],
  ['1e999 hidden by a later key', '{"a":1e999,"a":1}'],
  ['__proto__', '{"__proto__":{"admin":true}}'],
  ['__proto__, deep', '{"a":[{"__proto__":1}]}'],
  ['__proto__, escaped', String.raw`{"\u005f_proto_\u005F":1}`],
  ['a key twice', '{"a":1,"a":2}'],
  ['a key twice with other keys in between', '{"a":1,"b":{"c":1},"a":1}'],
  ['a key twice, deep', '{"x":[[{"a":1,"a":2}]]}'],
  ['a key twice, once escaped', String.raw`{"a":1,"\u0061":2}`],
  ['a key twice, escaped in two ways', String.raw`{"\/":1,"\u002f":2}`],
  ['a key twice, upper and lower case of the escape', String.raw`{"\u00e9":1,"\u00E9":2}`],
  ['a key twice, once as surrogate pair', String.raw`{"${'\u{1f600}'}":1,"\ud83d\ude00":2}`],
  ['an empty key twice', '{"":1,"":2}'],
  ['a key twice with space before the colon', '{"a" :1,"a"\t\n:2}'],
  ['one level too many', nested(jsonLimits.maxDepth + 1)],
  ['10,000 levels of objects', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)],
  ['10,000 levels of arrays', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`],
  ['10,000 levels that never close', '{"a":['.repeat(5_000)],
];

const refusedBytes: [name: string, bytes: Buffer][] = [
  ['no bytes', Buffer.alloc(0)],
  ['a byte order mark in front', Buffer.concat([Buffer.from('efbbbf', 'hex'), Buffer.from('{}')])],
  ['two byte order marks', Buffer.concat([Buffer.from('efbbbfefbbbf', 'hex'), Buffer.from('{}')])],
  ['UTF-16', Buffer.from('{"a":1}', 'utf16le')],
  ...(
    [
      ['a continuation byte alone', '80'],
      ['a start byte without continuation', 'c3'],
      ['a start byte before a quote', 'c322'],
      ['an overlong slash', 'c0af'],
      ['an overlong NUL', 'c080'],
      ['an encoded surrogate', 'eda080'],
      ['a code point beyond U+10FFFF', 'f4908080'],
      ['five bytes', 'f888808080'],
      ['0xFF', 'ff'],
    ] as const
  ).map(([name, bad]): [string, Buffer] => [name, Buffer.concat([Buffer.from('{"a":"'), Buffer.from(bad, 'hex'), Buffer.from('"}')])]),
];

describe('JSON that is taken', () => {
  for (const [name, text, value] of taken) it(name, () => assert.deepEqual(parse(text), value));

  it('every depth up to the limit', () => {
    for (let depth = 1; depth <= jsonLimits.maxDepth; depth += 1) assert.doesNotThrow(() => parse(nested(depth)));
  });

  it('whatever this side encodes', () => {
    const keys = fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__');
    const object = fc.dictionary(keys, fc.jsonValue({ maxDepth: 5 }).filter((value) => !JSON.stringify(value).includes('__proto__')));
    fc.assert(fc.property(object, (value) => assert.deepEqual(parseJson(encodeJson(value)), JSON.parse(JSON.stringify(value)))));
  });

  it('the same, however its frame is cut', () => {
    const text = JSON.stringify({ text: 'ä \u{1f600} "\\ {[', list: [1, { a: null }], number: 0.5 });
    const bodies = (chunks: Uint8Array[]): unknown[] =>
      readFrames(chunks, beforeLogin).map((frame) => frame.kind === 'json' && parseJson(Buffer.from(frame.body, 'hex')));
    const frame = textFrame(text);
    assert.deepEqual(bodies(byteByByte(frame)), [JSON.parse(text)]);
    fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 10 }), (places) => assert.deepEqual(bodies(cutAt(frame, places)), [JSON.parse(text)])));
  });
});

describe('JSON that is refused', () => {
  for (const [name, text] of refusedText) it(name, () => assert.throws(() => parse(text), badMessage));
  for (const [name, bytes] of refusedBytes) it(name, () => assert.throws(() => parseJson(bytes), badMessage));

  it('with any key repeated, in any spelling of it', () => {
    const spell = (key: string, escaped: readonly boolean[]): string =>
      `"${Array.from({ length: key.length }, (_, at) =>
        escaped[at] === true ? `\\u${key.charCodeAt(at).toString(16).padStart(4, '0')}` : JSON.stringify(key.charAt(at)).slice(1, -1),
      ).join('')}"`;
    const flags = fc.array(fc.boolean(), { maxLength: 12 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', maxLength: 12 }), flags, flags, (key, one, other) => {
        assert.throws(() => parse(`{${spell(key, one)}:1,"x${key}":{},${spell(key, other)}:2}`), badMessage);
      }),
    );
  });

  it('random bytes are an object or bad-message, nothing else', () => {
    const bytes = fc.oneof(fc.uint8Array({ maxLength: 60 }), fc.string({ unit: fc.constantFrom(...Array.from('{}[]":,\\u0019 ae-+.\u00e9')), maxLength: 40 }).map((text) => Buffer.from(text)));
    fc.assert(
      fc.property(bytes, (body) => {
        try {
          assert.equal(typeof parseJson(body), 'object');
        } catch (error) {
          assert.ok(badMessage(error), String(error));
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('without changing any prototype', () => {
    assert.throws(() => parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'), badMessage);
    assert.equal('polluted' in {}, false);
  });

  it('without repeating what was received: it may hold a secret or a terminal sequence', () => {
    for (const [, text] of refusedText) {
      assert.throws(() => parse(`${text.slice(0, 5)}secret\u001b]52;`), (error: Error) => !error.message.includes('secret') && !error.message.includes('\u001b'));
    }
  });
});

describe('time grows with the size and no faster', () => {
  /** Far above a frame's limit: an algorithm that takes the square of this runs for minutes, a good one for milliseconds. */
  const size = 1_000_000;
  const generousMs = 3_000;
  const repeated = (unit: string): string => unit.repeat(Math.ceil(size / unit.length));
  const costly: [name: string, text: string][] = [
    ['escaped quotes without an end', `{"a":"${repeated('\\"')}`],
    ['strings of one backslash without an end', repeated('"\\\\"')],
    ['quotes', repeated('"')],
    ['quotes, each before a backslash', repeated('"\\')],
    ['strings with space behind', `{"a":[${repeated('"" ,')}""]}`],
    ['a string and nothing but space', `{"a"${repeated(' ')}`],
    ['half-open strings and space', repeated('"" "     ')],
    ['closing brackets', repeated(']')],
    ['brackets that open and close', `{"a":[${repeated('[],')}[]]}`],
    ['digits', `{"a":${repeated('9')}}`],
    ['zeros and an exponent', `{"a":0.${repeated('0')}e5}`],
    ['many keys', `{${Array.from({ length: 80_000 }, (_, n) => `"k${n}":0`).join(',')}}`],
    ['many keys that are array indices', `{${Array.from({ length: 80_000 }, (_, n) => `"${n * 977}":0`).join(',')}}`],
    ['many objects with the same keys', `{"a":[${repeated('{"a":1,"b":2},')}0]}`],
  ];

  for (const [name, text] of costly) {
    it(name, () => {
      const body = Buffer.from(text, 'utf8');
      const start = performance.now();
      try {
        parseJson(body);
      } catch (error) {
        assert.ok(badMessage(error));
      }
      const ms = performance.now() - start;
      assert.ok(ms < generousMs, `${Math.round(ms)} ms for ${body.length} bytes`);
    });
  }
});
