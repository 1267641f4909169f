/** Version negotiation (PROTOCOL.md 5.1) and the labels of every derivation (6): a changed label breaks every account. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RemoteViolation } from '../../src/protocol/errors.js';
import { FEATURES, PEER_ALPN, PROTOCOL_VERSIONS, SERVER_ALPN, SERVER_FEATURES, chooseVersion, label } from '../../src/protocol/version.js';
import { section } from './specification.js';

describe('the version of a link', () => {
  for (const theirs of [[1], [1, 2], [2, 1], [65_535, 1, 7], [1, 1]]) {
    it(`is the highest common one of ${theirs.join(', ')}`, () => assert.equal(chooseVersion(theirs), 1));
  }

  for (const theirs of [[2], [2, 3], []]) {
    it(`is refused where ${theirs.length === 0 ? 'nothing' : theirs.join(', ')} is offered, with both lists`, () => {
      const refused = (error: unknown): boolean =>
        error instanceof RemoteViolation &&
        error.code === 'unsupported-version' &&
        error.message.includes(`this side speaks ${PROTOCOL_VERSIONS.join(', ')}`) &&
        error.message.includes(`the other ${theirs.join(', ')}`);
      assert.throws(() => chooseVersion(theirs), refused);
    });
  }
});

describe('names that both sides must agree on', () => {
  it('are those of the specification', () => {
    assert.deepEqual([PROTOCOL_VERSIONS, FEATURES, SERVER_FEATURES], [[1], [], ['presence']]);
    assert.match(section('1'), new RegExp(`\\| ALPN \\| \`${SERVER_ALPN}\` \\| \`${PEER_ALPN}\` \\|`, 'u'));
    for (const text of [label.clientProof, label.serverProof, label.register, label.resume, label.sealInfo, label.exporter]) {
      assert.ok(['6', '6.2', '6.3', '6.4'].some((number) => section(number).includes(`"${text}"`)), text);
    }
    assert.ok(section('6.1').includes(`server \`${label.opaqueServer}\``));
  });

  it('are all different, so that no proof passes for another', () => {
    const all = [...Object.values(label), SERVER_ALPN, PEER_ALPN];
    assert.equal(new Set(all).size, all.length);
  });
});
