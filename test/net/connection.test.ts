/** Links over in-memory pairs: order, limits, violations, slow readers, silence, the one way to close (PROTOCOL.md 2, 5.5). */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import { describe, it } from 'node:test';
import { Connection, type ConnectionHandlers } from '../../src/net/connection.js';
import { deferred } from '../../src/net/deferred.js';
import { RemoteViolation, type P2pError } from '../../src/protocol/errors.js';
import { DATA_PREFIX_BYTES, jsonFrame, writeDataPrefix, type FrameEvent } from '../../src/protocol/frames.js';
import { frameLimits } from '../../src/protocol/limits.js';
import { duplexPair } from '../helpers/duplex-pair.js';
import { ManualClock } from '../helpers/manual-clock.js';

function linkOn(socket: Duplex, clock = new ManualClock(), handlers: Partial<ConnectionHandlers> = {}, sendQueueBytes = 1024 * 1024, sendStallMs?: number) {
  const ended = deferred<P2pError | undefined>();
  const frames: string[] = [];
  const connection = new Connection(socket, {
    clock,
    sendQueueBytes,
    ...(sendStallMs === undefined ? {} : { sendStallMs }),
    handlers: {
      onFrame: (event) => frames.push(told(event)),
      onPingDue: () => connection.send(jsonFrame(Buffer.from('"ping"'))),
      farewell: (violation) => jsonFrame(Buffer.from(violation.code)),
      onEnd: (reason) => ended.resolve(reason),
      ...handlers,
    },
  });
  return { connection, frames, ended: ended.promise, clock };
}

function told(event: FrameEvent): string {
  if (event.kind === 'json') return Buffer.from(event.body).toString();
  return event.kind === 'end' ? `${event.transfer} ends` : `${event.transfer}@${event.offset}+${event.bytes.length}`;
}

const text = (value: string) => jsonFrame(Buffer.from(value));

describe('a connection', () => {
  it('hands frames on in order, however they were cut', async () => {
    const [a, b] = duplexPair((chunk) => [...chunk].map((byte) => Buffer.from([byte])));
    const left = linkOn(a);
    const right = linkOn(b);
    for (const word of ['one', 'two', 'three']) left.connection.send(text(word));
    await left.connection.close();
    await right.ended;
    assert.deepEqual(right.frames, ['one', 'two', 'three']);
  });

  it('sends what is queued and a last word before it closes, and tells its own side no reason', async () => {
    const [a, b] = duplexPair();
    const left = linkOn(a);
    const right = linkOn(b);
    left.connection.send(text('hello'));
    await left.connection.close(text('bye'));
    assert.equal(await left.ended, undefined);
    assert.equal((await right.ended)?.code, 'link-lost');
    assert.deepEqual(right.frames, ['hello', 'bye']);
    await left.connection.close();
  });

  it('tells the other side of its violation, then closes', async () => {
    const [a, b] = duplexPair();
    const left = linkOn(a, new ManualClock(), {
      onFrame: () => {
        throw new RemoteViolation('unexpected-message', 'no');
      },
    });
    const right = linkOn(b);
    right.connection.send(text('anything'));
    assert.equal((await left.ended)?.code, 'unexpected-message');
    await right.ended;
    assert.deepEqual(right.frames, ['unexpected-message']);
  });

  it('refuses a length above the limit before it keeps a byte of the body', async () => {
    const [a, b] = duplexPair();
    const left = linkOn(a);
    b.resume().write(Buffer.from([0xff, 0xff, 0xff, 0xff, 0]));
    assert.equal((await left.ended)?.code, 'bad-frame');
  });

  it('changes its limits in the middle of a chunk', async () => {
    const [a, b] = duplexPair();
    const left = linkOn(a, new ManualClock(), {
      onFrame: (event) => {
        left.frames.push(event.kind);
        left.connection.setLimits({ maxJsonBytes: frameLimits.controlBytes, allowData: true });
      },
    });
    const data = Buffer.alloc(DATA_PREFIX_BYTES + 3);
    writeDataPrefix(data, 0, { transfer: 7, entry: 0, offset: 0 }, 3);
    b.end(Buffer.concat([text('go'), data]));
    await left.ended;
    assert.deepEqual(left.frames, ['json', 'data']);
  });

  it('reuses nothing of a data buffer before it was written, and says when', async () => {
    const [a, b] = duplexPair();
    const left = linkOn(a);
    const right = linkOn(b);
    right.connection.setLimits({ maxJsonBytes: frameLimits.controlBytes, allowData: true });
    const frame = Buffer.concat([Buffer.alloc(DATA_PREFIX_BYTES), randomBytes(1000)]);
    writeDataPrefix(frame, 0, { transfer: 1, entry: 0, offset: 0 }, 1000);
    await left.connection.sendData(frame);
    writeDataPrefix(frame, 0, { transfer: 1, entry: 0, offset: 1000 }, 1000);
    await left.connection.sendData(frame);
    await left.connection.close();
    await right.ended;
    assert.deepEqual(right.frames, ['1@0+1000', '1@1000+1000']);
    await assert.rejects(left.connection.sendData(frame), { code: 'link-lost' });
  });

  it('drops a reader that lets the queue grow beyond its bound', async () => {
    // Nobody reads the other end.
    const [a] = duplexPair();
    const left = linkOn(a, new ManualClock(), {}, 256 * 1024);
    const frame = text('x'.repeat(32 * 1024));
    for (let sent = 0; sent < 64 && left.connection.open; sent += 1) left.connection.send(frame);
    assert.equal((await left.ended)?.code, 'too-slow');
  });

  it('drops a reader whose queue does not move for ten seconds', async () => {
    const stuck = new Duplex({ read: () => undefined, write: () => undefined });
    const left = linkOn(stuck, new ManualClock(), {}, 1024, 10_000);
    left.connection.send(text('anybody there?'));
    left.clock.advance(9_999);
    assert.equal(left.connection.open, true);
    left.clock.advance(1);
    assert.equal((await left.ended)?.code, 'too-slow');
  });

  it('pings after 30 s without sending and is dead after 90 s without a byte', async () => {
    const sent: string[] = [];
    const silent = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _encoding, callback) => {
        sent.push(chunk.subarray(5).toString());
        callback();
      },
    });
    const left = linkOn(silent);
    left.clock.advance(20_000);
    assert.deepEqual(sent, []);
    left.clock.advance(69_999);
    assert.deepEqual(sent, ['"ping"', '"ping"']);
    assert.equal(left.connection.open, true);
    left.clock.advance(1);
    assert.equal((await left.ended)?.code, 'timed-out');
    assert.equal(left.clock.pending, 0);
  });

  it('lives as long as anything comes', async () => {
    const [a, b] = duplexPair();
    const frames: string[] = [];
    let seen = deferred<undefined>();
    const left = linkOn(a, new ManualClock(), {
      onFrame: () => {
        frames.push('x');
        seen.resolve(undefined);
      },
    });
    for (let minute = 0; minute < 5; minute += 1) {
      seen = deferred<undefined>();
      b.write(text('x'));
      await seen.promise;
      left.clock.advance(60_000);
    }
    assert.equal(left.connection.open, true);
    assert.equal(frames.length, 5);
    left.connection.destroy();
    await left.ended;
  });

  it('fails a data write that the socket never finishes once the link has ended', async () => {
    const stuck = new Duplex({ read: () => undefined, write: () => undefined });
    const left = linkOn(stuck);
    const written = left.connection.sendData(Buffer.alloc(100));
    const closed = left.connection.close();
    left.clock.advance(2_000);
    await closed;
    await assert.rejects(written, { code: 'link-lost' });
  });

  it('does not take the other side for dead while it does not read itself', async () => {
    const [a] = duplexPair();
    const left = linkOn(a);
    left.connection.pause();
    left.clock.advance(200_000);
    assert.equal(left.connection.open, true);
    left.connection.resume();
    left.clock.advance(90_000);
    assert.equal((await left.ended)?.code, 'timed-out');
  });

  it('does not wait for ever for the other end to finish', async () => {
    const stuck = new Duplex({ read: () => undefined, write: () => undefined });
    const left = linkOn(stuck);
    const closed = left.connection.close(text('bye'));
    left.clock.advance(2_000);
    await closed;
    assert.equal(left.clock.pending, 0);
  });
});
