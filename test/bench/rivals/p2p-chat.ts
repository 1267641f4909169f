/** p2p-chat itself: two clients that are logged in to a server. The time includes the introduction and the new peer link. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { JsonClient, CLIENT, startServer } from '../../helpers/json-client.js';
import type { RealServer } from '../../helpers/json-client.js';
import { NotHere } from '../../helpers/processes.js';
import { loopback } from '../network.js';
import type { Network } from '../network.js';
import type { Rival } from './rival.js';

export interface Pair {
  readonly server: RealServer;
  readonly alice: JsonClient;
  readonly bob: JsonClient;
  readonly close: () => Promise<void>;
}

/** A server and two clients, registered and logged in, with everything they keep below `folder`: alice is the sender, bob the receiver. */
export async function startPair(folder: string, { sender, receiver }: Network = loopback): Promise<Pair> {
  if (!existsSync(CLIENT)) throw new NotHere(`${CLIENT} is missing: npm run build`);
  const server = await startServer(join(folder, 'server'), 0, receiver);
  const started: JsonClient[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map((client) => client.close()));
    await server.close();
  };
  try {
    for (const [user, host] of [['alice', sender], ['bob', receiver]] as const) {
      started.push(await JsonClient.start({ address: receiver.address, port: server.port, user, password: `${user}'s password`, home: join(folder, user), isNew: true, host }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { server, alice: started[0]!, bob: started[1]!, close };
}

export const p2pChat: Rival = {
  name: 'p2p-chat',
  prepare: async ({ folder, network }) => {
    const { alice, bob, close } = await startPair(folder, network);
    return {
      note: 'p2p-chat: its time includes introduction and TLS handshake, the BLAKE3 check and the flush to disk before the file gets its name',
      ready: (load, { sender, receiver }) => {
        sender.watch(alice.pid);
        receiver.watch(bob.pid);
        let open = false;
        const offer = async (): Promise<void> => {
          await alice.command('GET_CLIENT_INFO bob');
          open = true;
          await alice.command(`SEND_FILE "${load.path}"`);
        };
        return Promise.resolve({
          run: async () => {
            const [received] = await Promise.all([bob.transferEnd(), alice.transferEnd(), offer()]);
            return String(received['path']);
          },
          end: async () => {
            if (open) await Promise.all([bob.next('session-closed'), alice.command('CLOSE_SESSION')]);
          },
        });
      },
      close,
    };
  },
};
