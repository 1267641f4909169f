/** Which lines stay out of the history file, and which do not. Every token here is made up. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { looksSecret } from '../../../src/terminal/editing/secrets.js';

const SECRET = [
  ' anything behind a space',
  '\tor a tab',
  'Tr0ub4dor&3',
  'correct-Horse-9-battery',
  'my password is hunter2',
  'Password: hunter2',
  'DB_PASSWORD=hunter2',
  'the PIN is 1234',
  'pin: 1234',
  'the wifi passwords are abc and def',
  'das Passwort ist geheim',
  'Das Passwort lautet: geheim',
  'la contraseña es secreta',
  'пароль: тайна',
  'api key = 12345',
  'try mysql --password hunter2',
  'curl -H "Authorization: Basic abc"',
  'Bearer abcdefghijklmnop',
  'https://alice:hunter2@example.org/',
  'ghp_abcdefghijklmnopqrstuvwxyz0123456789',
  'use glpat-abcdefghijklmnopqrst here',
  'AKIAABCDEFGHIJKLMNOP',
  'xoxb-123456789012-abcdef',
  'sk_live_abcdefghijklmnop1234',
  'sk-ant-abcdefghijklmnop',
  'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc',
  'a key:\n-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----',
  'AGE-SECRET-KEY-1QQQQQQ',
  'it is 9f86d081884c7d659a2feaa0c55ad015',
  'take wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY please',
  'SEND_FILE https://alice:hunter2@example.org/',
  'AWAY the password is hunter2',
];

const FINE = [
  'hello Bob, how are you?',
  'Tomorrow?',
  'Congratulations!!!',
  'see https://example.org/a/Very/Long/Path2/that/Goes/On?x=1',
  'did you forget your password?',
  'the password is wrong',
  'das Passwort ist nicht richtig',
  'I lost my token of appreciation',
  'a pin board',
  'the secret garden',
  'GET_CLIENT_INFO bob',
  'SEND_FILE ~/passwords: old.txt',
  'SEND_FILE ~/pictures/IMG_20240101_AbCdEfGh12345678.jpg',
  '/send A1b2C3d4E5f6G7h8I9j0K1l2',
  'VERIFY bob',
  'my key is SHA256:AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfG',
  'AWAY back at two',
  '/quit',
  '#HELP SEND_FILE',
  'the class ResourceBundleMessageSource2Factory',
  'Straßenbahnhaltestelle',
  '12345678',
  '2026-11-22',
  '👍👍👍👍👍👍👍👍',
];

describe('looks like a secret', () => {
  for (const line of SECRET) it(JSON.stringify(line), () => assert.equal(looksSecret(line), true));
});

describe('does not', () => {
  for (const line of FINE) it(JSON.stringify(line), () => assert.equal(looksSecret(line), false));
});
