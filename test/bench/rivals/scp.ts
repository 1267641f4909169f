/** scp with its fastest cipher, to an sshd of our own: own port, own configuration, own keys, no file of the system. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Command, Program, findProgram, freePort, untilListening } from '../../helpers/processes.js';
import type { Rival } from './rival.js';

const CIPHER = 'aes128-gcm@openssh.com';

export const scp: Rival = {
  name: 'scp -c aes128-gcm',
  prepare: async ({ folder, network }) => {
    const [client, server, keygen] = [findProgram('scp'), findProgram('sshd'), findProgram('ssh-keygen')];
    const [hostKey, userKey] = [join(folder, 'host-key'), join(folder, 'user-key')];
    for (const key of [hostKey, userKey]) execFileSync(keygen, ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const { address } = network.receiver;
    const port = await freePort();
    const config = join(folder, 'sshd-config');
    await writeFile(join(folder, 'authorized-keys'), await readFile(`${userKey}.pub`));
    await writeFile(join(folder, 'known-hosts'), `[${address}]:${port} ${await readFile(`${hostKey}.pub`, 'utf8')}`);
    await writeFile(
      config,
      [
        `ListenAddress ${address}:${port}`,
        `HostKey ${hostKey}`,
        `AuthorizedKeysFile ${join(folder, 'authorized-keys')}`,
        'PidFile none',
        'StrictModes no',
        'UsePAM no',
        'PasswordAuthentication no',
        'PermitRootLogin prohibit-password',
        'Subsystem sftp internal-sftp',
        '',
      ].join('\n'),
    );
    const daemon = new Program(...network.receiver.command(...daemonCommand(server, ['-D', '-e', '-f', config])));
    try {
      await untilListening(port, { pid: daemon.pid });
    } catch (cause) {
      await daemon.stop();
      throw new Error(`sshd does not listen: ${daemon.said}`, { cause });
    }
    const inbox = join(folder, 'inbox');
    await mkdir(inbox);
    const options = ['-F', 'none', '-o', `UserKnownHostsFile=${join(folder, 'known-hosts')}`, '-o', 'StrictHostKeyChecking=yes', '-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=yes'];
    return {
      note: 'scp: its time includes the SSH handshake',
      ready: (load, { sender, receiver }) => {
        receiver.watch(daemon.pid);
        const received = join(inbox, 'received');
        let command: Command | undefined;
        return Promise.resolve({
          run: async () => {
            const args = [...(load.kind === 'folder' ? ['-r'] : []), '-q', '-c', CIPHER, '-P', String(port), '-i', userKey, ...options];
            command = new Command(...network.sender.command(client, [...args, load.path, `${userInfo().username}@${address}:${received}`]));
            sender.watchCommand(command.pid);
            await command.finished();
            return received;
          },
          end: async () => command?.release(),
        });
      },
      close: () => daemon.stop(),
    };
  },
};

/** Started by root, sshd insists on a folder /run/sshd; where there is none it gets one that only it can see. */
function daemonCommand(server: string, args: readonly string[]): readonly [string, readonly string[]] {
  if (process.getuid?.() !== 0 || existsSync('/run/sshd')) return [server, args];
  return [findProgram('unshare'), ['--mount', 'sh', '-c', 'mount -t tmpfs tmpfs /run && mkdir -m 755 /run/sshd && exec "$@"', 'sh', server, ...args]];
}
