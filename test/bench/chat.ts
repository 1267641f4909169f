/**
 * Chat round trip between two real clients: alice says a line, bob's program answers, alice's program sees the answer.
 * Includes both programs' pipes and JSON, as a bot would meet them.
 */
import type { JsonEvent } from '../helpers/json-client.js';
import type { Pair } from './rivals/p2p-chat.js';

const IDLE_SAMPLES = 1000;
const WARM_UP = 100;
/** While a file moves: as many as fit into the transfers, of which there are more until this many were taken. */
const BUSY_SAMPLES = 200;
const MOST_TRANSFERS = 20;

export interface ChatTimes {
  /** Milliseconds. */
  readonly idle: readonly number[];
  readonly busy: readonly number[];
}

export async function measureChat({ alice, bob }: Pair, sourcePath: string, removeReceived: (path: string) => Promise<void>): Promise<ChatTimes> {
  await alice.command('GET_CLIENT_INFO bob');
  const isIncoming = (event: JsonEvent): boolean => event.event === 'message' && event['direction'] === 'in';
  const forget = bob.onEvent((event) => {
    if (isIncoming(event)) bob.sayAtOnce('and you?', 'alice');
  });
  const roundTrip = async (): Promise<number> => {
    const answer = alice.next('message', isIncoming, 60_000);
    const start = performance.now();
    alice.sayAtOnce('how are you?', 'bob');
    await answer;
    return performance.now() - start;
  };
  try {
    for (let n = 0; n < WARM_UP; n += 1) await roundTrip();
    const idle: number[] = [];
    for (let n = 0; n < IDLE_SAMPLES; n += 1) idle.push(await roundTrip());

    const busy: number[] = [];
    for (let transfers = 0; busy.length < BUSY_SAMPLES && transfers < MOST_TRANSFERS; transfers += 1) {
      const ended = new AbortController();
      const moving = Promise.all([bob.transferEnd(), alice.transferEnd(), alice.command(`SEND_FILE "${sourcePath}"`)]).finally(() => ended.abort());
      const chatting = async (): Promise<void> => {
        while (!ended.signal.aborted) busy.push(await roundTrip());
        // The last answer came after the end.
        busy.pop();
      };
      const [[received]] = await Promise.all([moving, chatting()]);
      await removeReceived(String(received['path']));
    }
    return { idle, busy };
  } finally {
    forget();
  }
}
