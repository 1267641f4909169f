/** {@link Proxy} as a program of its own: the route as JSON in the first argument, orders and answers over IPC. */
import { Proxy, type ProxyRoute } from './proxy.js';

/** What can be ordered; each is answered with the bytes forwarded so far. */
export type ProxyOrder = 'reset' | 'lose-dialler' | 'lose-listener' | 'hold' | 'release' | 'singly' | 'together' | 'look' | { readonly delayMs: number };

const proxy = await Proxy.listen(JSON.parse(process.argv[2] ?? '') as ProxyRoute);

const obey: Readonly<Record<Exclude<ProxyOrder, object>, () => void>> = {
  reset: () => proxy.reset(),
  'lose-dialler': () => proxy.halfOpen('dialler'),
  'lose-listener': () => proxy.halfOpen('listener'),
  hold: () => proxy.hold(),
  release: () => proxy.release(),
  singly: () => (proxy.singly = true),
  together: () => (proxy.singly = false),
  look: () => undefined,
};

process.on('message', (order: ProxyOrder) => {
  if (typeof order === 'object') proxy.delayMs = order.delayMs;
  else obey[order]();
  process.send?.(proxy.bytes);
});
process.on('disconnect', () => process.exit());
process.send?.(0);
