/**
 * wormhole-william, the Go implementation of magic-wormhole: the nearest to p2p-chat in purpose.
 *
 * Its mailbox is python3-magic-wormhole-mailbox-server on loopback; the file goes directly from program to program. The
 * command line has no option for the transit relay and the sender gives up when the public one cannot be reached, so each
 * program sees an /etc/hosts of its own in which that name is this machine, where something listens and never answers.
 */
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { basename, join } from 'node:path';
import { Command, NotHere, Program, findProgram, freePort, untilListening } from '../../helpers/processes.js';
import type { Rival } from './rival.js';

const RELAY_NAME = 'transit.magic-wormhole.io';
const RELAY_PORT = 4001;

export const wormholeWilliam: Rival = {
  name: 'wormhole-william',
  prepare: async ({ folder }) => {
    const [program, twist, unshare] = [findProgram('wormhole-william'), findProgram('twist3', 'twist'), findProgram('unshare')];
    const closeRelay = await startSilentRelay();
    const port = await freePort();
    const mailbox = new Program(twist, ['wormhole-mailbox', `--port=tcp:${port}:interface=127.0.0.1`, `--channel-db=${join(folder, 'mailbox.sqlite')}`], { cwd: folder });
    const close = async (): Promise<void> => {
      closeRelay();
      await mailbox.stop();
    };
    try {
      await untilListening(port, { timeoutMs: 20_000 });
    } catch (cause) {
      await close();
      if (/Unknown command/u.test(mailbox.said)) throw new NotHere('python3-magic-wormhole-mailbox-server is not installed');
      throw new Error(`the mailbox server does not listen: ${mailbox.said}`, { cause });
    }
    const hosts = join(folder, 'hosts');
    await writeFile(hosts, `${await readFile('/etc/hosts', 'utf8')}\n127.0.0.1 ${RELAY_NAME}\n`);
    const inbox = join(folder, 'inbox');
    await mkdir(inbox);
    const privateHosts = [...(process.getuid?.() === 0 ? ['--mount'] : ['--map-root-user', '--mount']), 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts];
    const wormhole = (args: readonly string[], options: { readonly cwd?: string; readonly input?: string } = {}): Command =>
      new Command(unshare, [...privateHosts, program, '--relay-url', `ws://127.0.0.1:${port}/v1`, ...args, '--hide-progress'], options);
    let round = 0;
    return {
      note: 'wormhole-william: its time includes the key exchange through a mailbox server, which is counted on neither side',
      ready: ({ path: source }, { sender, receiver }) => {
        round += 1;
        const code = `${round}-benchmark-loopback`;
        const commands: Command[] = [];
        return Promise.resolve({
          run: async () => {
            commands.push(wormhole(['send', '--code', code, source]), wormhole(['receive', code], { cwd: inbox, input: 'y\n' }));
            sender.watchCommand(commands[0]!.pid);
            receiver.watchCommand(commands[1]!.pid);
            await Promise.all(commands.map((command) => command.finished()));
            return join(inbox, basename(source));
          },
          end: async () => {
            await Promise.all(commands.map((command) => command.release()));
          },
        });
      },
      close,
    };
  },
};

/** @returns What ends it. @throws NotHere when the port is taken. */
async function startSilentRelay(): Promise<() => void> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket)).resume();
  });
  try {
    server.listen(RELAY_PORT, '127.0.0.1');
    await once(server, 'listening');
  } catch (cause) {
    throw new NotHere(`port ${RELAY_PORT} is taken, which it needs`, { cause });
  }
  return () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
}
