/** Limits: every one a positive whole number, consistent with its neighbours, and as the specification tells strangers. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as limits from '../../src/protocol/limits.js';
import { section, tableRows } from './specification.js';

const { frameLimits, jsonLimits, peerLimits, serverLimits, textLimits, timeLimits, transferLimits } = limits;

const transferPayload = frameLimits.dataPayloadBytes.toLocaleString('en');

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
    ['people watched', [serverLimits.watchedPerLink, textLimits.awayChars]],
    ['a session without a link', [timeLimits.reconnectMs / 1000]],
    ['window of a transfer', [transferLimits.windowBytes]],
    ['offers that wait', [transferLimits.pendingOffersPerPeer, transferLimits.activePerPeer, transferLimits.activePerPeer]],
    ['entries in a folder', [transferLimits.folderEntries, transferLimits.entriesPerMessage, transferLimits.entriesAhead]],
    ['depth and path', [transferLimits.folderDepth, transferLimits.pathBytes]],
  ];
  for (const [what, values] of rows) it(`${what}: the specification says the same`, () => assert.deepEqual(shown(what), values));

  it('the specification names no other limit there', () => assert.equal(tableRows(section('9')).length, rows.length));

  it('the depth of JSON is that of the specification', () => assert.match(section('3'), new RegExp(`at most ${jsonLimits.maxDepth} deep`, 'u')));

  it('numbers inside the sections on transfers are those of the code', () => {
    const MiB = 1024 * 1024;
    const said: [section: string, text: string][] = [
      ['2', `1 to ${transferPayload} file bytes`],
      ['4', `integer 0 to ${transferLimits.folderEntries.toLocaleString('en')}`],
      ['5.5.1', `1 to ${textLimits.awayChars} characters`],
      ['5.5.1', `at most ${serverLimits.watchedPerLink} names`],
      ['5.5.1', `told after ${timeLimits.presenceSettleMs / 1000} s, offline after ${timeLimits.absenceSettleMs / 1000} s`],
      ['5.5.1', `at most every ${timeLimits.presenceEveryMs / 1000} s`],
      ['5.5.1', `exceed ${serverLimits.awayBytesPerReply.toLocaleString('en')} bytes`],
      ['7.3', `From connection to hello: ${timeLimits.peerHelloMs / 1000} s`],
      ['7.3.1', `keep the session for ${timeLimits.reconnectMs / 60_000} minutes`],
      ['7.3.1', `the other after ${timeLimits.reconnectAnswererMs / 1000} s`],
      ['7.4', `At most ${peerLimits.unacknowledgedMessages} messages`],
      ['7.5.1', `At most ${transferLimits.entriesPerMessage} entries a message, ${transferLimits.folderEntries.toLocaleString('en')} a transfer; paths of at most ${transferLimits.folderDepth} names`],
      ['7.5.1', `and ${transferLimits.pathBytes.toLocaleString('en')} bytes`],
      ['7.5.1', `more than ${transferLimits.entriesAhead.toLocaleString('en')} beyond`],
      ['7.5.1', `up to ${transferLimits.pointsPerEntry} points`],
      ['7.5.3', `(${transferLimits.windowBytes / MiB} MiB)`],
      ['7.5.4', `At most ${transferLimits.pendingOffersPerPeer} offers`],
      ['7.5.4', `at most ${transferLimits.activePerPeer}, and ${transferLimits.activePerPeer} more of at most ${transferLimits.smallBytes / MiB} MiB`],
      ['7.6', `at most ${textLimits.fileNameBytes} bytes`],
    ];
    for (const [where, text] of said) assert.ok(section(where).replaceAll('\n', ' ').includes(text), `PROTOCOL.md ${where} does not say "${text}"`);
  });

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
    assert.ok(transferLimits.leastWindowBytes < transferLimits.windowBytes && transferLimits.windowBytes < transferLimits.allWindowsBytes);
    assert.ok(transferLimits.entriesPerMessage * 2 <= transferLimits.entriesAhead, 'the next part of a list is asked for before the last one is used up');
    assert.ok(timeLimits.waitsMs < timeLimits.stalledMs, 'the other side is told before it must explain a stall');
    assert.ok(timeLimits.fullRetryMs < timeLimits.deadMs, 'a full disk is tried again while the link is alive');
    assert.ok(timeLimits.reconnectAnswererMs < timeLimits.reconnectMs);
    assert.ok(serverLimits.unauthenticatedConnections * frameLimits.beforeLoginBytes <= 16 * 1024 * 1024, 'strangers hold little memory in all');
  });
});
