/** rsync to a daemon: no encryption, its own checksum of what arrived. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Program, findProgram, freePort, untilListening } from '../../helpers/processes.js';
import type { Rival } from './rival.js';

export const rsync: Rival = {
  name: 'rsync, daemon',
  prepare: async ({ folder, network }) => {
    const program = findProgram('rsync');
    const port = await freePort();
    const [inbox, config] = [join(folder, 'inbox'), join(folder, 'rsyncd.conf')];
    await mkdir(inbox);
    // A daemon started by root would write as nobody otherwise.
    const owner = process.getuid?.() === 0 ? ['uid = root', 'gid = root'] : [];
    await writeFile(config, ['use chroot = no', `lock file = ${join(folder, 'lock')}`, '[inbox]', `path = ${inbox}`, 'read only = no', ...owner, ''].join('\n'));
    const { address } = network.receiver;
    const daemon = new Program(...network.receiver.command(program, ['--daemon', '--no-detach', `--address=${address}`, `--port=${port}`, `--config=${config}`, '--log-file=/dev/null']));
    try {
      await untilListening(port, { pid: daemon.pid });
    } catch (cause) {
      await daemon.stop();
      throw new Error(`rsync --daemon does not listen: ${daemon.said}`, { cause });
    }
    return {
      note: 'rsync: -W for a file, -a for a folder; no encryption',
      ready: (load, { sender, receiver }) => {
        receiver.watch(daemon.pid);
        // A folder's content, not the folder: with the slash.
        const what = load.kind === 'file' ? ['-W', load.path] : ['-a', `${load.path}/`];
        let command: Command | undefined;
        return Promise.resolve({
          run: async () => {
            command = new Command(...network.sender.command(program, [...what, `rsync://${address}:${port}/inbox/received`]));
            sender.watchCommand(command.pid);
            await command.finished();
            return join(inbox, 'received');
          },
          end: async () => command?.release(),
        });
      },
      close: () => daemon.stop(),
    };
  },
};
