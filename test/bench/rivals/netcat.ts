/** netcat: bytes through a socket into a file, no encryption, no check. The ceiling. */
import { join } from 'node:path';
import { Command, findProgram, freePort, untilListening } from '../../helpers/processes.js';
import type { Rival } from './rival.js';

export const netcat: Rival = {
  name: 'nc',
  prepare: async ({ folder, network }) => {
    const nc = findProgram('nc.openbsd', 'nc');
    const { address } = network.receiver;
    return Promise.resolve({
      note: 'nc: no encryption, no check of what arrived',
      ready: async ({ path: source }, { sender, receiver }) => {
        const port = await freePort();
        const received = join(folder, 'received');
        const listener = new Command(...network.receiver.command('/bin/sh', ['-c', 'exec "$1" -d -l "$2" "$3" >"$4"', 'sh', nc, address, String(port), received]));
        receiver.watchCommand(listener.pid);
        await untilListening(port, { pid: listener.pid });
        let dialler: Command | undefined;
        return {
          run: async () => {
            dialler = new Command(...network.sender.command('/bin/sh', ['-c', 'exec "$1" -N "$2" "$3" <"$4"', 'sh', nc, address, String(port), source]));
            sender.watchCommand(dialler.pid);
            await Promise.all([dialler.finished(), listener.finished()]);
            return received;
          },
          end: async () => {
            await Promise.all([dialler?.release(), listener.release()]);
          },
        };
      },
      close: () => Promise.resolve(),
    });
  },
};
