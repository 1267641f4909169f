/** A link that goes over to another connection while it is in use (PROTOCOL.md 7.3.2): order, both sides at once, and what breaks meanwhile. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { deferred } from '../../src/net/deferred.js';
import type { LinkMover } from '../../src/net/link-move.js';
import { PeerLink, type PeerLinkHandlers } from '../../src/net/peer-link.js';
import { LinkLost, RemoteViolation, type P2pError } from '../../src/protocol/errors.js';
import { DATA_PREFIX_BYTES, writeDataPrefix } from '../../src/protocol/frames.js';
import { timeLimits } from '../../src/protocol/limits.js';
import { encodePeerMessage, type PeerMessage } from '../../src/protocol/peer-messages.js';
import { duplexPair } from '../helpers/duplex-pair.js';
import { ManualClock } from '../helpers/manual-clock.js';
import { FINGERPRINT, introductionId } from '../helpers/session-pair.js';

/** One end, and what it was told. */
interface End {
  readonly link: PeerLink;
  readonly heard: string[];
  readonly ended: Promise<P2pError | undefined>;
  /** Resolves when this was heard. */
  until(what: string): Promise<undefined>;
}

/** Movers of the two ends, which connect in memory; a dial ends as `dialling` says. */
class Movers {
  readonly clock: ManualClock;
  /** Connections made by a move: the dialler's socket and the other's. */
  readonly made: (readonly [ReturnType<typeof duplexPair>[0], ReturnType<typeof duplexPair>[1]])[] = [];
  /** The dialler has said go, and so gone over. */
  readonly went = deferred<undefined>();
  readonly #admitted = new Map<string, (link: PeerLink) => void>();
  #names = 0;
  /** Before hellos are exchanged. */
  dialling: () => Promise<void> = () => Promise.resolve();
  /** Whether the one who was dialled hears of it. */
  arrives = true;
  /** When. */
  arriving: Promise<unknown> = Promise.resolve();
  listens = true;

  constructor(clock: ManualClock) {
    this.clock = clock;
  }

  mover(): LinkMover {
    return {
      newIntroduction: () => introductionId((this.#names += 1)),
      admit: (introduction, _fingerprint, onArrived) => {
        this.#admitted.set(introduction, onArrived);
        return this.listens ? 4000 : undefined;
      },
      dial: async (_address, _port, introduction) => {
        await this.dialling();
        const [near, far] = duplexPair();
        this.made.push([near, far]);
        const { asker, answerer } = linksOver(near, far, this.clock, () => this.mover());
        asker.sendHello(introduction);
        await answerer.receiveHello();
        answerer.sendHello(introduction);
        await asker.receiveHello();
        void answerer.receiveGo().then(
          () => {
            this.went.resolve(undefined);
            if (this.arrives) void this.arriving.then(() => this.#admitted.get(introduction)?.(answerer));
          },
          () => undefined,
        );
        return asker;
      },
    };
  }
}

function linksOver(near: ReturnType<typeof duplexPair>[0], far: ReturnType<typeof duplexPair>[1], clock: ManualClock, mover?: () => LinkMover) {
  const common = { clock, fingerprint: FINGERPRINT, agent: 'test' };
  return {
    asker: new PeerLink(near, { ...common, role: 'asker', address: '192.0.2.1:4000', mover: mover?.() }),
    answerer: new PeerLink(far, { ...common, role: 'answerer', address: '192.0.2.2:4000', mover: mover?.() }),
  };
}

function endOf(link: PeerLink): End {
  const heard: string[] = [];
  const waiting = new Map<string, () => void>();
  const ended = deferred<P2pError | undefined>();
  const hear = (what: string) => {
    heard.push(what);
    waiting.get(what)?.();
  };
  const handlers: PeerLinkHandlers = {
    onMessage: (message) => hear(message.type === 'chat' ? `chat ${message.number}` : message.type),
    onData: (_transfer, _entry, offset, bytes) => hear(`data ${offset}+${bytes.length}:${String(bytes[0])}`),
    onEntryEnd: () => hear('end'),
    onEnd: (reason) => {
      heard.push('ended');
      ended.resolve(reason);
    },
  };
  link.attach(handlers);
  const until = (what: string) => {
    const come = deferred<undefined>();
    if (heard.includes(what)) come.resolve(undefined);
    else waiting.set(what, () => come.resolve(undefined));
    return come.promise;
  };
  return { link, heard, ended: ended.promise, until };
}

async function openLink(options: { readonly movers?: boolean } = {}) {
  const clock = new ManualClock();
  const movers = new Movers(clock);
  const [near, far] = duplexPair();
  const { asker, answerer } = linksOver(near, far, clock, options.movers === false ? undefined : () => movers.mover());
  asker.sendHello(introductionId(9));
  await answerer.receiveHello();
  answerer.sendHello(introductionId(9));
  await asker.receiveHello();
  asker.sendGo();
  await answerer.receiveGo();
  return { clock, movers, first: [near, far] as const, sender: endOf(asker), receiver: endOf(answerer) };
}

const chat = (number: number): PeerMessage => ({ type: 'chat', number, text: 'x' });

function dataFrame(offset: number): Buffer {
  const frame = Buffer.alloc(DATA_PREFIX_BYTES + 1, offset % 251);
  writeDataPrefix(frame, 0, { transfer: 1, entry: 0, offset }, 1);
  return frame;
}

/** Asks for the move and waits until both sides have gone over. */
async function moved({ movers, first, sender, receiver }: Awaited<ReturnType<typeof openLink>>): Promise<void> {
  const gone = Promise.all(first.map((socket) => new Promise<void>((resolve) => void socket.once('close', resolve))));
  receiver.link.readMuch();
  await gone;
  assert.equal(movers.made.length, 1);
  sender.link.send(chat(1_000_000));
  receiver.link.send(chat(1_000_000));
  await Promise.all([sender.until('chat 1000000'), receiver.until('chat 1000000')]);
}

describe('A link that moves', () => {
  it('keeps the order of all that is sent meanwhile, both ways, and loses and repeats nothing', async () => {
    const pair = await openLink();
    const { movers, sender, receiver } = pair;
    const expected: string[] = [];
    let count = 0;
    const send = (async () => {
      while (!pair.first.every((socket) => socket.destroyed) || count < 500) {
        count += 1;
        sender.link.send(chat(count));
        await sender.link.sendData(dataFrame(count));
        receiver.link.send(chat(count));
        expected.push(`chat ${count}`, `data ${count}+1:${count % 251}`);
      }
    })();
    receiver.link.readMuch();
    await send;
    await Promise.all([receiver.until(`data ${count}+1:${count % 251}`), sender.until(`chat ${count}`)]);
    assert.deepEqual(receiver.heard, expected);
    assert.deepEqual(sender.heard, expected.filter((one) => one.startsWith('chat')));
    assert.equal(movers.made.length, 1);
    assert.ok(sender.link.open && receiver.link.open);
  });

  it('moves once when both ask at the same time, and not again', async () => {
    const pair = await openLink();
    pair.sender.link.readMuch();
    await moved(pair);
    pair.sender.link.readMuch();
    pair.receiver.link.readMuch();
    pair.sender.link.send(chat(1));
    pair.receiver.link.send(chat(1));
    await Promise.all([pair.sender.until('chat 1'), pair.receiver.until('chat 1')]);
    assert.equal(pair.movers.made.length, 1);
  });

  it('stays where it is when the dial fails, or nobody listens', async () => {
    const failing = await openLink();
    const dialled = deferred<undefined>();
    failing.movers.dialling = () => {
      dialled.resolve(undefined);
      return Promise.reject(new LinkLost('cannot-connect', 'nobody listens there'));
    };
    failing.receiver.link.readMuch();
    await dialled.promise;
    const deaf = await openLink();
    deaf.movers.listens = false;
    deaf.receiver.link.readMuch();
    for (const { clock, sender, receiver } of [failing, deaf]) {
      clock.advance(timeLimits.moveMs);
      sender.link.send(chat(1));
      receiver.link.send(chat(1));
      await Promise.all([sender.until('chat 1'), receiver.until('chat 1')]);
      assert.deepEqual(sender.heard, ['chat 1']);
    }
  });

  it('ends once, with the reason, when the second connection breaks', async () => {
    const pair = await openLink();
    await moved(pair);
    pair.movers.made[0]![0].destroy(new Error('cut'));
    const reasons = await Promise.all([pair.sender.ended, pair.receiver.ended]);
    assert.ok(reasons.every((reason) => reason instanceof LinkLost));
    assert.equal(pair.sender.heard.filter((one) => one === 'ended').length, 1);
    assert.equal(pair.receiver.heard.filter((one) => one === 'ended').length, 1);
    assert.ok(!pair.sender.link.open && !pair.receiver.link.open);
  });

  it('ends when the first connection breaks before the other side has said its last there', async () => {
    const { first, movers, sender, receiver } = await openLink();
    movers.arrives = false;
    receiver.link.readMuch();
    await movers.went.promise;
    first[0].destroy();
    const reasons = await Promise.all([sender.ended, receiver.ended]);
    assert.ok(reasons.every((reason) => reason instanceof LinkLost));
    assert.ok(movers.made[0]![0].destroyed, 'the other connection is closed too');
  });

  it('ends when the other side does not follow', async () => {
    const { clock, movers, receiver } = await openLink();
    movers.arrives = false;
    receiver.link.readMuch();
    await movers.went.promise;
    clock.advance(timeLimits.moveMs);
    assert.match((await receiver.ended)?.message ?? '', /did not follow/u);
  });

  it('waits for the last word for as long as something comes, or nothing is read here', async () => {
    const { clock, movers, receiver, sender } = await openLink();
    const arrive = deferred<undefined>();
    movers.arriving = arrive.promise;
    receiver.link.readMuch();
    await movers.went.promise;
    for (let n = 1; n <= 2; n += 1) {
      sender.link.send(chat(n));
      await receiver.until(`chat ${n}`);
      clock.advance(timeLimits.moveMs);
    }
    receiver.link.pause();
    clock.advance(2 * timeLimits.moveMs);
    assert.ok(receiver.link.open);
    receiver.link.resume();
    arrive.resolve(undefined);
    sender.link.send(chat(3));
    await receiver.until('chat 3');
  });

  it('loses nothing of what its first connection takes long to carry', async () => {
    const { clock, first, movers, receiver, sender } = await openLink();
    const bytes = 16_384;
    const frames = Array.from({ length: 40 }, (_, n) => Buffer.alloc(DATA_PREFIX_BYTES + bytes, n));
    frames.forEach((frame, n) => writeDataPrefix(frame, 0, { transfer: 1, entry: 0, offset: n * bytes }, bytes));
    movers.dialling = async () => {
      receiver.link.pause();
      for (const frame of frames) void sender.link.sendData(frame);
      await turn();
    };
    receiver.link.readMuch();
    await movers.went.promise;
    for (let turns = 0; turns < 20; turns += 1) await turn();
    clock.advance(timeLimits.closeMs);
    for (let turns = 0; turns < 20; turns += 1) await turn();
    assert.ok(first.every((socket) => !socket.destroyed), 'what is on its way there has not come yet');
    receiver.link.resume();
    sender.link.send(chat(1));
    await receiver.until('chat 1');
    assert.equal(receiver.heard.filter((one) => one.startsWith('data')).length, frames.length);
  });

  it('is told of a polite end, whichever side says it', async () => {
    for (const closing of ['sender', 'receiver'] as const) {
      const pair = await openLink();
      await moved(pair);
      const other = closing === 'sender' ? 'receiver' : 'sender';
      await pair[closing].link.close({ type: 'close' });
      await pair[other].until('close');
      assert.equal(await pair[closing].ended, undefined);
      await pair[other].ended;
    }
  });

  it('stays held back where it was', async () => {
    const { movers, sender, receiver } = await openLink();
    const arrive = deferred<undefined>();
    movers.arriving = arrive.promise;
    receiver.link.readMuch();
    await movers.went.promise;
    // The last word on the first connection is read before the other connection is known.
    for (let turns = 0; turns < 5; turns += 1) await turn();
    sender.link.pause();
    arrive.resolve(undefined);
    receiver.link.send(chat(1));
    await turn();
    sender.link.send(chat(2));
    await receiver.until('chat 2');
    assert.deepEqual(sender.heard, []);
    sender.link.resume();
    await sender.until('chat 1');
  });

  it('keeps what comes before anybody is attached, though its buffer is used again', async () => {
    const [near, far] = duplexPair();
    const { asker, answerer } = linksOver(near, far, new ManualClock());
    asker.sendHello(introductionId(9));
    await answerer.receiveHello();
    answerer.sendHello(introductionId(9));
    await asker.receiveHello();
    asker.sendGo();
    const buffer = Buffer.concat([encodePeerMessage(chat(1)), dataFrame(7)]);
    near.emit('data', buffer);
    buffer.fill(0);
    assert.deepEqual(endOf(asker).heard, ['chat 1', 'data 7+1:7']);
  });

  const breaches: Record<string, readonly PeerMessage[]> = {
    'a last word that nobody expects': [{ type: 'moved' }],
    'a port that nobody asked for': [{ type: 'move-to', port: 4000 }],
    'a second wish': [{ type: 'move', introduction: introductionId(1) }, { type: 'move', introduction: introductionId(2) }],
    'two last words': [{ type: 'move', introduction: introductionId(1) }, { type: 'moved' }, { type: 'moved' }],
  };
  for (const [name, messages] of Object.entries(breaches)) {
    it(`breaks the rules with ${name}`, async () => {
      const { sender, receiver } = await openLink();
      for (const message of messages) receiver.link.send(message);
      assert.ok((await sender.ended) instanceof RemoteViolation);
    });
  }

  it('is not moved on by its second connection, whichever side would', async () => {
    for (const wishing of ['sender', 'receiver'] as const) {
      const pair = await openLink();
      await moved(pair);
      pair[wishing].link.send({ type: 'move', introduction: introductionId(1) });
      assert.ok((await pair[wishing === 'sender' ? 'receiver' : 'sender'].ended) instanceof RemoteViolation);
    }
  });

  it('does not move where nobody could bring it about', async () => {
    const { receiver, sender } = await openLink({ movers: false });
    receiver.link.send({ type: 'move', introduction: introductionId(1) });
    assert.ok((await sender.ended) instanceof RemoteViolation);
  });
});
