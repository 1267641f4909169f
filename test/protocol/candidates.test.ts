/** Candidates (PROTOCOL.md 5.5; HOSTILE 11): which addresses are told, which are dialled, and which never. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  candidatesToPass,
  dialOrder,
  formatEndpoint,
  mayDial,
  ownCandidates,
  plainAddress,
  scopeOf,
} from '../../src/protocol/candidates.js';
import type { Scope, Seen } from '../../src/protocol/candidates.js';
import { RemoteViolation } from '../../src/protocol/errors.js';
import type { Candidate } from '../../src/protocol/fields.js';
import { peerLimits } from '../../src/protocol/limits.js';
import { parseClientMessage, parseServerMessage } from '../../src/protocol/server-messages.js';
import { clientMessages, serverMessages } from './message-cases.js';

const scopes: Record<Scope, readonly string[]> = {
  loopback: ['127.0.0.1', '127.255.255.255', '::1', '::ffff:127.0.0.1', '::ffff:7f00:1', '0:0:0:0:0:0:0:1'],
  private: [
    '10.0.0.1',
    '10.255.255.255',
    '172.16.0.1',
    '172.31.255.254',
    '192.168.0.1',
    '100.64.0.1',
    '100.127.255.254',
    'fc00::1',
    'fd12:3456::1',
    '::ffff:10.0.0.1',
    '::ffff:c0a8:1',
  ],
  public: ['1.1.1.1', '8.8.8.8', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1', '::ffff:8.8.8.8', '2606:4700::1', '2a00:1450::1', '2400::1'],
  never: [
    '0.0.0.0',
    '0.1.2.3',
    '::',
    '::ffff:0.0.0.0',
    '255.255.255.255',
    '::ffff:255.255.255.255',
    // Link-local: the metadata service of clouds among it.
    '169.254.169.254',
    '169.254.0.1',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    'fe80::1',
    'fe80::1%eth0',
    'febf::1',
    'fec0::1',
    // Multicast and reserved.
    '224.0.0.1',
    '239.255.255.250',
    '::ffff:224.0.0.1',
    'ff02::1',
    'ff0e::1',
    '240.0.0.1',
    '192.0.0.8',
    '192.0.2.1',
    '198.18.0.1',
    '198.51.100.1',
    '203.0.113.1',
    '2001:db8::1',
    '3fff::1',
    '100::1',
    '5f00::1',
    // IPv4 in other clothes: NAT64, 6to4, Teredo, SIIT, IPv4-compatible.
    '64:ff9b::7f00:1',
    '64:ff9b::a9fe:a9fe',
    '64:ff9b:1::7f00:1',
    '2002:7f00:1::',
    '2002:a00:1::1',
    '2001:0:7f00:1::',
    '::ffff:0:127.0.0.1',
    '::7f00:1',
    '::a9fe:a9fe',
    '::2',
    // Not assigned to anybody.
    '4000::1',
    '8000::1',
    'fe00::1',
    // No addresses at all.
    '',
    'localhost',
    'example.com',
    '1.2.3',
    '256.1.1.1',
    '1.2.3.4:80',
    '[::1]',
    '::1::',
    '1.2.3.4 ',
    '10.0.0.1\0',
  ],
};

describe('the scope of an address', () => {
  for (const [scope, addresses] of Object.entries(scopes)) {
    for (const address of addresses) it(`${JSON.stringify(address)} is ${scope}`, () => assert.equal(scopeOf(address), scope));
  }
});

describe('an address in a message', () => {
  const claim = (candidate: unknown): unknown =>
    parseClientMessage(Buffer.from(JSON.stringify({ ...clientMessages.connect, reach: { port: 2000, candidates: [candidate] } })));
  const refused = (error: unknown): boolean => error instanceof RemoteViolation && error.code === 'bad-message';

  it('is a plain IPv4 or IPv6 text', () => {
    for (const address of ['10.0.0.1', '::1', 'fd00::1', '::ffff:10.0.0.1', '2001:db8:1:2:3:4:5:6']) assert.doesNotThrow(() => claim({ address, port: 2000 }), address);
  });

  it('is no name, no number in other notations, no zone, no port', () => {
    const bad = ['', 'localhost', 'a.example', '127.1', '2130706433', '0x7f.0.0.1', '0x7f000001', '010.0.0.1', '10.0.0.01', '1.2.3.4.', '1.2.3.4:80', '[::1]', 'fe80::1%eth0', '::1%lo', 'fe80::%25', '::1 ', '1.2.3.4\n', '\u0661.2.3.4', ':'.repeat(45), '1'.repeat(46)];
    for (const address of bad) assert.throws(() => claim({ address, port: 2000 }), refused, JSON.stringify(address));
  });

  it('has a port from 1 to 65535', () => {
    for (const port of [1, 1024, 65_535]) assert.doesNotThrow(() => claim({ address: '10.0.0.1', port }));
    for (const port of [0, -1, 65_536, 1.5, '80', null, 2 ** 53]) assert.throws(() => claim({ address: '10.0.0.1', port }), refused, String(port));
  });
});

const lan: Seen = { address: '192.168.1.20', local: '192.168.1.2' };
const lanToo: Seen = { address: '192.168.1.21', local: '192.168.1.2' };
const home: Seen = { address: '8.8.4.4', local: '9.9.9.9' };
const away: Seen = { address: '1.1.1.1', local: '9.9.9.9' };
const awayToo: Seen = { address: '2606:4700::7', local: '2a00:1450::9' };
const onServer: Seen = { address: '127.0.0.1', local: '127.0.0.1' };
const onServerToo: Seen = { address: '::1', local: '::1' };
const everywhere: Record<string, Seen> = { lan, lanToo, home, away, awayToo, onServer, onServerToo };

const own: Candidate = { address: '192.168.1.20', port: 40_000 };

describe('what the server passes on', () => {
  const cases: [what: string, owner: Seen, reader: Seen, claimed: Candidate[], passed: string[]][] = [
    ['two on the internet: only what the server saw', home, away, [own], ['8.8.4.4:40000']],
    ['the same over IPv6', awayToo, home, [own], ['[2606:4700::7]:40000']],
    ['two behind one NAT: private addresses first', home, home, [own], ['192.168.1.20:40000', '8.8.4.4:40000']],
    ['one NAT, seen once as IPv4-mapped', home, { ...home, address: '::ffff:8.8.4.4' }, [own], ['192.168.1.20:40000', '8.8.4.4:40000']],
    ['two in the network of the server', lan, lanToo, [{ address: '10.8.0.3', port: 41_000 }], ['10.8.0.3:41000', '192.168.1.20:40000']],
    ['one in the network of the server, one outside', lan, away, [own], ['192.168.1.20:40000']],
    ['two on the machine of the server', onServer, onServerToo, [own], ['192.168.1.20:40000', '127.0.0.1:40000']],
    ['the owner on the machine of the server, the reader outside', onServer, away, [own], ['9.9.9.9:40000']],
    ['the owner on the machine of the server, the reader in its network', onServer, lan, [own], ['192.168.1.20:40000', '192.168.1.2:40000']],
    ['the reader on the machine of the server', home, onServer, [own], ['8.8.4.4:40000']],
    ['an IPv4-mapped observation', { address: '::ffff:8.8.4.4', local: '::ffff:9.9.9.9' }, away, [], ['8.8.4.4:40000']],
    ['an IPv4-mapped claim', lan, lanToo, [{ address: '::ffff:10.0.0.7', port: 40_000 }], ['10.0.0.7:40000', '192.168.1.20:40000']],
    ['what is claimed and observed: once', lan, lanToo, [own, own], ['192.168.1.20:40000']],
    ['an observation that nobody may be sent to', { address: '169.254.1.1', local: '169.254.1.2' }, lan, [], []],
  ];
  for (const [what, owner, reader, claimed, passed] of cases) {
    it(what, () => {
      const told = candidatesToPass({ port: 40_000, candidates: claimed }, owner, reader);
      assert.deepEqual(told.map(({ address, port }) => formatEndpoint(address, port)), passed);
    });
  }

  it('at most the limit, the observed address always among them', () => {
    const claimed = Array.from({ length: peerLimits.candidates }, (_, n) => ({ address: `10.0.0.${n + 1}`, port: 40_000 }));
    const told = candidatesToPass({ port: 40_000, candidates: claimed }, lan, lanToo);
    assert.equal(told.length, peerLimits.candidates);
    assert.deepEqual(told.at(-1), { address: lan.address, port: 40_000 });
  });
});

describe('what the server never passes on', () => {
  const strangers = [...scopes.loopback, ...scopes.never, ...scopes.public];
  const pairs = Object.entries(everywhere).flatMap(([from, owner]) => Object.entries(everywhere).map(([to, reader]) => ({ from, owner, to, reader })));

  for (const { from, owner, to, reader } of pairs) {
    it(`a claimed loopback, metadata, multicast or stranger's address (owner ${from}, reader ${to})`, () => {
      const honest = candidatesToPass({ port: 40_000, candidates: [] }, owner, reader);
      for (const address of strangers) {
        assert.deepEqual(candidatesToPass({ port: 40_000, candidates: [{ address, port: 40_000 }] }, owner, reader), honest, address);
      }
    });

    it(`port 0 or one of a system service (owner ${from}, reader ${to})`, () => {
      for (const port of [0, 1, 22, 25, 53, 80, 443, 1023]) {
        assert.deepEqual(candidatesToPass({ port, candidates: [{ address: '10.0.0.9', port }] }, owner, reader), []);
      }
    });
  }

  it('loopback to a client elsewhere, though the server saw it', () => {
    for (const reader of [lan, home, awayToo]) {
      for (const owner of [onServer, onServerToo, { address: '::ffff:127.0.0.1', local: '::ffff:127.0.0.1' }]) {
        const told = candidatesToPass({ port: 40_000, candidates: [] }, owner, reader);
        assert.deepEqual(told.filter(({ address }) => scopeOf(address) === 'loopback'), []);
      }
    }
  });

  it('private addresses to somebody in another network', () => {
    const claimed = scopes.private.map((address) => ({ address, port: 40_000 }));
    assert.deepEqual(candidatesToPass({ port: 40_000, candidates: claimed }, home, away), [{ address: home.address, port: 40_000 }]);
    assert.deepEqual(candidatesToPass({ port: 40_000, candidates: claimed }, home, lan), [{ address: home.address, port: 40_000 }]);
  });

  it('whatever is claimed: only private addresses and the one that was seen', () => {
    const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4().map((address) => `::ffff:${address}`), fc.constantFrom(...strangers));
    const claimed = fc.array(fc.record({ address: anyAddress, port: fc.integer({ min: 0, max: 65_535 }) }), { maxLength: 12 });
    const seen = fc.oneof(fc.constantFrom(...Object.values(everywhere)), fc.record({ address: fc.oneof(fc.ipV4(), fc.ipV6()), local: fc.constant('9.9.9.9') }));
    fc.assert(
      fc.property(claimed, fc.integer({ min: 0, max: 65_535 }), seen, seen, (candidates, port, owner, reader) => {
        const told = candidatesToPass({ port, candidates }, owner, reader);
        assert.ok(told.length <= peerLimits.candidates);
        assert.equal(new Set(told.map((one) => formatEndpoint(one.address, one.port))).size, told.length);
        for (const one of told) {
          assert.ok(mayDial(one));
          const seenOne = plainAddress(owner.address) === one.address || reader.local === one.address;
          assert.ok((seenOne && one.port === port) || scopeOf(one.address) === 'private', formatEndpoint(one.address, one.port));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('what a client dials, whatever its server says', () => {
  it('nothing that cannot be a client', () => {
    for (const address of scopes.never) assert.equal(mayDial({ address, port: 40_000 }), false, address);
    for (const address of [...scopes.loopback, ...scopes.private, ...scopes.public]) assert.equal(mayDial({ address, port: 40_000 }), true, address);
  });

  it('no port of a system service', () => {
    for (const port of [0, 1, 22, 25, 1023]) assert.equal(mayDial({ address: '10.0.0.1', port }), false);
    for (const port of [1024, 65_535]) assert.equal(mayDial({ address: '10.0.0.1', port }), true);
  });

  it('at most eight: a longer list is no message', () => {
    const candidates = Array.from({ length: peerLimits.candidates + 1 }, () => own);
    assert.throws(() => parseServerMessage(Buffer.from(JSON.stringify({ ...serverMessages.introduction, candidates }))), RemoteViolation);
  });

  it('its own network first, the order otherwise as given', () => {
    const order = ['8.8.8.8', '127.0.0.1', '1.1.1.1', '10.0.0.1', 'fd00::1'].map((address) => ({ address, port: 2000 }));
    assert.deepEqual(dialOrder(order).map((one) => one.address), ['127.0.0.1', '10.0.0.1', 'fd00::1', '8.8.8.8', '1.1.1.1']);
    assert.equal(order[0]?.address, '8.8.8.8');
  });
});

describe('what a client claims', () => {
  it('its private addresses, once each', () => {
    const addresses = ['127.0.0.1', '::1', '192.168.1.5', 'fe80::5%eth0', '8.8.8.8', '169.254.3.3', 'fd00::5', '::ffff:192.168.1.5', '192.168.1.5'];
    assert.deepEqual(ownCandidates(addresses, 40_000), [{ address: '192.168.1.5', port: 40_000 }, { address: 'fd00::5', port: 40_000 }]);
  });

  it('no more than the limit', () => {
    assert.equal(ownCandidates(Array.from({ length: 50 }, (_, n) => `10.0.0.${n}`), 40_000).length, peerLimits.candidates);
  });
});

describe('addresses as text', () => {
  const plain: [given: string, text: string][] = [
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['10.0.0.1', '10.0.0.1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['FD00:0:0::1', 'fd00::1'],
    ['no address', 'no address'],
  ];
  for (const [given, text] of plain) it(`${given} is ${text}`, () => assert.equal(plainAddress(given), text));

  it('IPv6 stands in brackets before a port', () => {
    assert.equal(formatEndpoint('::1', 80), '[::1]:80');
    assert.equal(formatEndpoint('10.0.0.1', 80), '10.0.0.1:80');
  });
});
