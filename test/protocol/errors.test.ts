/** Errors: one base with a code, the codes of the specification (PROTOCOL.md 8), texts without internals. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LinkLost, P2pError, RemoteViolation, RequestRefused, TRANSFER_CODES, WIRE_CODES, errorText, systemCode } from '../../src/protocol/errors.js';
import { quoted, section, tableRows } from './specification.js';

describe('codes', () => {
  it('of error and bye are those of the specification', () => {
    const specified = tableRows(section('8')).flatMap(([codes = '']) => quoted(codes));
    assert.deepEqual([...specified].sort(), [...WIRE_CODES].sort());
  });

  it('of reject and cancel are those of the specification', () => {
    const list = section('8').split('In `reject` and `cancel`:')[1] ?? '';
    assert.deepEqual(quoted(list).sort(), [...TRANSFER_CODES].sort());
  });

  it('stand once each', () => {
    assert.equal(new Set(WIRE_CODES).size, WIRE_CODES.length);
    assert.equal(new Set(TRANSFER_CODES).size, TRANSFER_CODES.length);
  });
});

describe('error classes', () => {
  for (const Class of [P2pError, RemoteViolation, RequestRefused, LinkLost]) {
    it(`${Class.name} keeps code, text and cause`, () => {
      const cause = new Error('inner');
      const error = new Class('timed-out', 'Too late.', { cause });
      assert.ok(error instanceof P2pError && error instanceof Error);
      assert.deepEqual([error.name, error.code, error.message, error.cause], [Class.name, 'timed-out', 'Too late.', cause]);
      assert.match(error.stack ?? '', new RegExp(Class.name, 'u'));
    });
  }

  it('react differently, so none is another', () => {
    assert.equal(new RemoteViolation('bad-frame', '') instanceof RequestRefused, false);
    assert.equal(new LinkLost('link-lost', '') instanceof RemoteViolation, false);
  });
});

describe('text and code of anything thrown', () => {
  it('text is the message, never the stack', () => {
    assert.equal(errorText(new Error('gone')), 'gone');
    assert.equal(errorText('gone'), 'gone');
    assert.equal(errorText(undefined), 'undefined');
  });

  it('the code of the system is a string or nothing', () => {
    assert.equal(systemCode(Object.assign(new Error(), { code: 'ENOSPC' })), 'ENOSPC');
    for (const other of [new Error(), Object.assign(new Error(), { code: 5 }), { code: 'ENOSPC' }, null, 'ENOSPC']) assert.equal(systemCode(other), undefined);
  });
});
