/** rsync to a daemon, whole files: no encryption, its own checksum of what arrived. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Command, Program, findProgram, freePort, untilListening } from '../../helpers/processes.js';
import type { Rival } from './rival.js';

export const rsync: Rival = {
  name: 'rsync -W, daemon',
  prepare: async ({ folder }) => {
    const program = findProgram('rsync');
    const port = await freePort();
    const [inbox, config] = [join(folder, 'inbox'), join(folder, 'rsyncd.conf')];
    await mkdir(inbox);
    // A daemon started by root would write as nobody otherwise.
    const owner = process.getuid?.() === 0 ? ['uid = root', 'gid = root'] : [];
    await writeFile(config, ['use chroot = no', `lock file = ${join(folder, 'lock')}`, '[inbox]', `path = ${inbox}`, 'read only = no', ...owner, ''].join('\n'));
    const daemon = new Program(program, ['--daemon', '--no-detach', '--address=127.0.0.1', `--port=${port}`, `--config=${config}`, '--log-file=/dev/null']);
    try {
      await untilListening(port);
    } catch (cause) {
      await daemon.stop();
      throw new Error(`rsync --daemon does not listen: ${daemon.said}`, { cause });
    }
    return {
      note: 'rsync: no encryption',
      ready: (source, { sender, receiver }) => {
        receiver.watch(daemon.pid);
        let command: Command | undefined;
        return Promise.resolve({
          run: async () => {
            command = new Command(program, ['-W', source, `rsync://127.0.0.1:${port}/inbox/received`]);
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
