/**
 * A network of its own in which everything that is dialled at certain ports passes through a {@link Proxy}: clients tell each other
 * their real addresses, so nothing else can come between them.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isolate, type Isolation } from './isolation.js';
import type { ProxyOrder } from './proxy-program.js';
import type { ProxyRoute } from './proxy.js';

const PROGRAM = fileURLToPath(new URL('./proxy-program.js', import.meta.url));
/** Part of loopback; what comes from there is the proxy's own and not led to it again. */
const PROXY_ADDRESS = '127.0.0.9';
/** Above the port that it stands in front of. */
const PROXY_PORT_STEP = 1000;

export interface DisturbedLine {
  readonly host: Isolation;
  /** Orders all proxies alike; resolves with the bytes forwarded so far. */
  order(order: ProxyOrder): Promise<number>;
}

/** Needs `nft`. Ends after the test. */
export async function disturbedLine(t: TestContext, ports: readonly number[]): Promise<DisturbedLine> {
  const rules = ports.map((port) => `nft add rule ip line output ip saddr != ${PROXY_ADDRESS} tcp dport ${port} redirect to :${port + PROXY_PORT_STEP}`);
  const host = await isolate(t, `nft add table ip line\nnft 'add chain ip line output { type nat hook output priority -100; }'\n${rules.join('\n')}`);
  const proxies = await Promise.all(ports.map((to) => startProxy(t, host, { listen: to + PROXY_PORT_STEP, to, from: PROXY_ADDRESS })));
  return {
    host,
    async order(order) {
      const answers = await Promise.all(proxies.map((proxy) => ask(proxy, order)));
      return answers.reduce((sum, bytes) => sum + bytes, 0);
    },
  };
}

async function startProxy(t: TestContext, host: Isolation, route: ProxyRoute): Promise<ChildProcess> {
  const [program, args] = host.command(process.execPath, [PROGRAM, JSON.stringify(route)]);
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  t.after(async () => {
    if (child.connected) child.disconnect();
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  });
  await Promise.race([once(child, 'message'), once(child, 'exit').then(() => Promise.reject(new Error('the proxy did not start')))]);
  return child;
}

async function ask(proxy: ChildProcess, order: ProxyOrder): Promise<number> {
  const answer = once(proxy, 'message') as Promise<[number]>;
  proxy.send(order);
  return (await answer)[0];
}
