/**
 * Who is online, page by page (PROTOCOL.md 5.5), from a server that may list without end.
 */
import { clientLimits } from '../protocol/limits.js';
import type { ClientList } from './api.js';
import type { ServerLink } from './server-link.js';

/** Everybody whose name begins with `prefix`, at most {@link clientLimits.listedClients}. @throws LinkLost; RequestRefused. */
export async function listClients(link: () => Pick<ServerLink, 'request'>, prefix: string): Promise<ClientList> {
  const clients: string[] = [];
  const away: { user: string; text: string }[] = [];
  for (let after: string | undefined; ; ) {
    const page = await link().request({ type: 'list', prefix, ...(after === undefined ? {} : { after }) }, 'clients');
    clients.push(...page.clients);
    away.push(...(page.away ?? []));
    after = page.next;
    const who = { clients, ...(away.length === 0 ? {} : { away }) };
    // People come and go between two pages, so the server's number counts only where the list is cut short.
    if (after === undefined || page.clients.length === 0) return { ...who, total: clients.length };
    if (clients.length >= clientLimits.listedClients) return { ...who, total: Math.max(page.total, clients.length) };
  }
}
