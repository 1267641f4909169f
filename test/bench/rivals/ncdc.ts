/**
 * ncdc, the Direct Connect client that people use in a terminal, with uhub as its hub, TLS on every connection.
 *
 * Both are driven as a person would: commands typed, and the key `d` in the other one's file list. Their hashing is done
 * beforehand, in `prepare`, and is not timed; what is timed begins with the key and ends when the file has its name.
 */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, watch } from 'node:fs';
import { link, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { Program, findProgram, freePort, untilListening } from '../../helpers/processes.js';
import { ProgramTerminal } from '../../helpers/terminal.js';
import type { Load } from '../load.js';
import type { Network } from '../network.js';
import type { Rival } from './rival.js';

/** How long it may take until the list shows everything: it is hashed first. */
const HASHING_MS = 120_000;
const LOOK_AGAIN_MS = 500;

const key = { up: 'k', down: 'j', open: 'l', download: 'd', closeTab: '\x1bc', tab: (number: number) => `\x1b${number}` };
const HUB_TAB = 2;
/** Of the selected folder, at the bottom of a file list; the size with separators between the thousands. */
const LIST_TOTAL = /(\d+) items, ([\d.,]+) bytes|Selected directory is empty/u;

export const ncdc: Rival = {
  name: 'ncdc',
  prepare: async ({ folder, loads, network }) => {
    const [program, uhub, openssl] = [findProgram('ncdc'), findProgram('uhub'), findProgram('openssl')];
    const running: { close(): Promise<void> }[] = [];
    const close = async (): Promise<void> => {
      for (const one of running.splice(0).reverse()) await one.close();
    };
    try {
      const hub = await startHub(uhub, openssl, folder, network);
      running.push(hub);
      const start = async (nick: string, host: Network['sender']): Promise<ProgramTerminal> => {
        const home = join(folder, nick);
        await mkdir(home);
        const terminal = new ProgramTerminal(...host.command(program, ['--session-dir', home]), { columns: 160, rows: 40, env: { LANG: 'C.UTF-8' } });
        running.push(terminal);
        await terminal.waitForText(/Using working directory/u);
        const settings = {
          nick,
          active_ip: host.address,
          local_address: host.address,
          active_port: await freePort(),
          active: true,
          tls_policy: 'force',
          download_dir: join(home, 'received'),
          incoming_dir: join(home, 'partial'),
        };
        for (const [name, value] of Object.entries(settings)) {
          terminal.enter(`/set ${name} ${value}`);
          await terminal.waitForText(new RegExp(`global\\.${name} = ${String(value)}`, 'u'));
        }
        return terminal;
      };
      const [alice, bob] = [await start('alice', network.sender), await start('bob', network.receiver)];
      const shared = join(folder, 'shared');
      await mkdir(shared);
      for (const load of loads) await link(load.path, join(shared, basename(load.path)));
      alice.enter(`/share shared ${shared}`);
      await alice.waitForText(/Added to share/u);
      await alice.waitForText(/\[Hashing/u);
      await alice.waitUntil((screen) => !screen.join('\n').includes('[Hashing'), 'the end of hashing', HASHING_MS);
      // Writes the list anew, which otherwise happens once a minute.
      alice.enter('/refresh');
      for (const terminal of [alice, bob]) {
        terminal.enter(`/open hub adcs://${network.receiver.address}:${hub.port}`);
        await terminal.waitForText(/#hub>/u);
      }
      await alice.waitForText(/2 users/u);
      await bob.waitForText(/2 users/u);
      await openList(bob, loads);
      // As ncdc sorts them.
      const inOrder = loads.map((load) => basename(load.path)).sort();
      let selected = 0;
      const place = join(folder, 'bob', 'received');
      await mkdir(place, { recursive: true });

      return {
        note: 'ncdc: its files were hashed beforehand; from the second transfer on it uses the TLS connection of the first',
        ready: async (load, { sender, receiver }) => {
          const name = basename(load.path);
          const wanted = inOrder.indexOf(name);
          bob.type((wanted > selected ? key.down : key.up).repeat(Math.abs(wanted - selected)));
          selected = wanted;
          await bob.waitForText(new RegExp(`^>.* ${name}$`, 'mu'));
          const received = join(place, name);
          sender.watch(alice.pid);
          receiver.watch(bob.pid);
          return {
            run: async () => {
              await appeared(place, received, () => bob.type(key.download));
              return received;
            },
            end: () => Promise.resolve(),
          };
        },
        close,
      };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

/** Opens alice's file list at bob, again and again until all that is sent has been hashed. */
async function openList(bob: ProgramTerminal, loads: readonly Load[]): Promise<void> {
  const bytes = loads.reduce((sum, load) => sum + load.bytes, 0);
  const deadline = performance.now() + HASHING_MS;
  for (;;) {
    bob.type(key.tab(HUB_TAB));
    await bob.waitForText(/#hub>/u);
    bob.enter('/browse -f alice');
    await bob.waitForText(/\[.*3!?:?!?\/alice/u);
    bob.type(key.tab(HUB_TAB + 1));
    const screen = (await bob.waitForText(LIST_TOTAL)).join('\n');
    const [, files = '', size = ''] = LIST_TOTAL.exec(screen) ?? [];
    if (Number(files) === loads.length && Number(size.replaceAll(/\D/gu, '')) === bytes) break;
    if (performance.now() > deadline) throw new Error(`ncdc's file list is not complete:\n${screen}`);
    bob.type(key.closeTab);
    await bob.waitUntil((now) => !now.join('\n').includes('/alice'), 'the list closed');
    await pause(LOOK_AGAIN_MS);
  }
  bob.type(key.open);
  await bob.waitForText(/── \/shared ──/u);
}

/** Resolves at the moment when `path` is in `folder`, some time after `start`. */
async function appeared(folder: string, path: string, start: () => void): Promise<void> {
  // Not to keep the benchmark alive when the file never comes.
  const watcher = watch(folder, { persistent: false });
  try {
    start();
    while (!existsSync(path)) await once(watcher, 'change');
  } finally {
    watcher.close();
  }
}

async function startHub(uhub: string, openssl: string, folder: string, { receiver }: Network): Promise<{ readonly port: number; close(): Promise<void> }> {
  const [certificate, privateKey, config, plugins] = ['hub-certificate.pem', 'hub-key.pem', 'uhub.conf', 'plugins.conf'].map((name) => join(folder, name)) as [string, string, string, string];
  await promisify(execFile)(openssl, ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', privateKey, '-out', certificate, '-days', '2', '-subj', '/CN=localhost']);
  const port = await freePort();
  await writeFile(plugins, '');
  const settings = [
    `server_bind_addr=${receiver.address}`,
    `server_port=${port}`,
    'tls_enable=yes',
    'tls_require=yes',
    `tls_certificate=${certificate}`,
    `tls_private_key=${privateKey}`,
    `file_plugins=${plugins}`,
  ];
  await writeFile(config, `${settings.join('\n')}\n`);
  const hub = new Program(...receiver.command(uhub, ['-c', config]));
  try {
    await untilListening(port, { pid: hub.pid });
  } catch (cause) {
    await hub.stop();
    throw new Error(`uhub does not listen: ${hub.said}`, { cause });
  }
  return { port, close: () => hub.stop() };
}
