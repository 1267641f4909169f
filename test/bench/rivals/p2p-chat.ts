/** p2p-chat itself: two clients that are logged in to a server. The time includes the introduction and the new peer link. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { JsonClient, CLIENT, startServer } from '../../helpers/json-client.js';
import type { RealServer } from '../../helpers/json-client.js';
import { NotHere } from '../../helpers/processes.js';
import type { Rival } from './rival.js';

export interface Pair {
  readonly server: RealServer;
  readonly alice: JsonClient;
  readonly bob: JsonClient;
  readonly close: () => Promise<void>;
}

/** A server and two clients, registered and logged in, with everything they keep below `folder`. */
export async function startPair(folder: string): Promise<Pair> {
  if (!existsSync(CLIENT)) throw new NotHere(`${CLIENT} is missing: npm run build`);
  const server = await startServer(join(folder, 'server'));
  const started: JsonClient[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(started.map((client) => client.close()));
    await server.close();
  };
  try {
    for (const user of ['alice', 'bob']) {
      started.push(await JsonClient.start({ port: server.port, user, password: `${user}'s password`, home: join(folder, user), isNew: true }));
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { server, alice: started[0]!, bob: started[1]!, close };
}

export const p2pChat: Rival = {
  name: 'p2p-chat',
  prepare: async ({ folder }) => {
    const { alice, bob, close } = await startPair(folder);
    return {
      note: 'p2p-chat: its time includes introduction and TLS handshake, the BLAKE3 check and the flush to disk before the file gets its name',
      ready: (source, { sender, receiver }) => {
        sender.watch(alice.pid);
        receiver.watch(bob.pid);
        let open = false;
        const offer = async (): Promise<void> => {
          await alice.command('GET_CLIENT_INFO bob');
          open = true;
          await alice.command(`SEND_FILE "${source}"`);
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
