/** Limits: every one a positive whole number, consistent with its neighbours, and as the specification tells strangers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as limits from '../../src/protocol/limits.js';
import { section, tableRows } from './specification.js';

const { frameLimits, jsonLimits, peerLimits, serverLimits, textLimits, timeLimits, transferLimits } = limits;

/** The numbers in the second cell of the row of section 9 that begins with `what`. */
function shown(what: string): number[] {
  const row = tableRows(section('9')).find(([first = '']) => first.startsWith(what));
  assert.ok(row !== undefined, `PROTOCOL.md 9 has no row "${what}"`);
  return Array.from((row[1] ?? '').replaceAll(',', '').matchAll(/\d+/gu), (match) => Number(match[0]));
}

describe('limits', () => {
  for (const [group, values] of Object.entries(limits)) {
    it(`${group}: every one is a positive whole number`, () => {
      for (const [name, value] of Object.entries(values as Record<string, number>)) assert.ok(Number.isSafeInteger(value) && value > 0, name);
    });
  }

  const rows: [what: string, values: number[]][] = [
    ['JSON frame', [frameLimits.beforeLoginBytes, frameLimits.controlBytes]],
    ['file bytes in a data frame', [frameLimits.dataPayloadBytes]],
    ['chat message', [textLimits.chatBytes]],
    ['TLS handshake', [timeLimits.tlsHandshakeMs / 1000, timeLimits.loginMs / 1000]],
    ['heartbeat', [timeLimits.heartbeatMs / 1000, timeLimits.deadMs / 1000]],
    ['connections and new ones', [serverLimits.connectionsPerAddress, serverLimits.newConnectionsPerAddressPerMinute]],
    ['requests', [serverLimits.requestBurst, serverLimits.requestsPerSecond]],
    ['messages of any kind', [serverLimits.messageBurst, serverLimits.messagesPerSecond]],
    [
      'introductions asked',
      [serverLimits.introductionsPerMinute, serverLimits.pendingIntroductionsPerAsker, serverLimits.pendingIntroductionsPerTarget],
    ],
    ['failed logins', [serverLimits.loginFailuresPerAccount, serverLimits.loginFailuresWindowSeconds / 60]],
    ['introduction: answer', [timeLimits.answerMs / 1000, timeLimits.raceMs / 1000]],
    ['candidates', [peerLimits.candidates]],
  ];
  for (const [what, values] of rows) it(`${what}: the specification says the same`, () => assert.deepEqual(shown(what), values));

  it('the specification names no other limit there', () => assert.equal(tableRows(section('9')).length, rows.length));

  it('the depth of JSON is that of the specification', () => assert.match(section('3'), new RegExp(`at most ${jsonLimits.maxDepth} deep`, 'u')));

  it('fit together', () => {
    assert.ok(frameLimits.beforeLoginBytes < frameLimits.controlBytes);
    assert.ok(textLimits.chatBytes * 2 < frameLimits.controlBytes, 'a message of quotes, each escaped');
    assert.ok(timeLimits.deadMs >= 2 * timeLimits.heartbeatMs, 'one lost heartbeat is no death');
    assert.ok(timeLimits.requestMs > timeLimits.answerMs, "the server's refusal arrives before the client gives up");
    assert.ok(timeLimits.raceMs > timeLimits.staggerMs * peerLimits.candidates, 'every candidate gets its turn');
    assert.ok(timeLimits.peerHelloMs < timeLimits.raceMs, 'a stalled path fails within the race');
    assert.ok(timeLimits.silentDialerMs < timeLimits.peerHelloMs, 'there is time left after waiting for the first byte');
    assert.ok(transferLimits.creditStepBytes < transferLimits.windowBytes, 'credit arrives before the window is empty');
    assert.ok(frameLimits.dataPayloadBytes <= transferLimits.bufferBytes);
    assert.ok(serverLimits.unauthenticatedConnections * frameLimits.beforeLoginBytes <= 16 * 1024 * 1024, 'strangers hold little memory in all');
  });
});
