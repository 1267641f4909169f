/**
 * `npm run demo`: the whole main job in one terminal. Starts a real server and two real clients, each with a home of
 * its own that goes away afterwards, and tells what they do. Exit code 0 when all of it worked, 1 otherwise.
 */
import { createHash } from 'node:crypto';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JsonClient, startServer } from '../helpers/json-client.js';
import type { RealServer } from '../helpers/json-client.js';

const MiB = 1024 * 1024;
const FILE_BYTES = 64 * MiB;

/** Two columns: who, and what they type, see or do. */
function tell(who: string, ...lines: string[]): void {
  for (const [index, line] of lines.entries()) console.log(`${(index === 0 ? who : '').padEnd(8)}${line}`);
}

function heading(text: string): void {
  console.log(`\n${text}`);
}

/** What has been started, ended in the opposite order. */
const cleanUps: (() => Promise<unknown>)[] = [];

async function register(server: RealServer, user: string, folder: string): Promise<JsonClient> {
  const client = await JsonClient.start({ port: server.port, user, password: `correct horse of ${user}`, home: join(folder, user), isNew: true });
  cleanUps.push(() => client.close());
  tell(user, `p2p-client 127.0.0.1 ${server.port} --user ${user} --new`, `registered; identity ${client.fingerprint}`);
  return client;
}

async function chat(from: JsonClient, to: JsonClient, text: string): Promise<void> {
  const [message] = await Promise.all([to.next('message', (event) => event['direction'] === 'in'), from.say(text, to.user)]);
  tell(from.user, text);
  tell(to.user, `sees: <${String(message['peer'])}> ${String(message['text'])}`);
  if (message['text'] !== text || message['peer'] !== from.user) throw new Error('the message arrived changed');
}

async function sendFile(from: JsonClient, to: JsonClient, folder: string): Promise<void> {
  const path = join(folder, 'holiday.mov');
  const file = await open(path, 'wx');
  for (let written = 0; written < FILE_BYTES; written += MiB) await file.write(Buffer.alloc(MiB, written / MiB));
  await file.close();
  tell(from.user, `SEND_FILE ${path}`);
  const [received, sent] = await Promise.all([to.transferEnd(), from.transferEnd(), from.command(`SEND_FILE "${path}"`)]);
  const rate = FILE_BYTES / MiB / Number(sent['seconds']);
  tell('', `${FILE_BYTES / MiB} MiB in ${Number(sent['seconds']).toFixed(2)} s, ${rate.toFixed(0)} MiB/s`, `BLAKE3 ${String(sent['blake3'])}`);
  tell(to.user, `has ${String(received['path'])}`, `BLAKE3 ${String(received['blake3'])}`);
  const [before, after] = await Promise.all([path, String(received['path'])].map(async (one) => createHash('sha256').update(await readFile(one)).digest('hex')));
  if (before !== after || sent['blake3'] !== received['blake3']) throw new Error('the file arrived changed');
  tell('', `SHA-256 of both files: ${before ?? ''}`);
}

async function demo(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'p2p-demo-'));
  cleanUps.push(() => rm(folder, { recursive: true, force: true }));

  heading('A server that keeps accounts and introduces people. It never sees a message, a file or a password.');
  const server = await startServer(join(folder, 'server'));
  cleanUps.push(() => server.close());
  tell('server', `p2p-server listening on 127.0.0.1:${server.port}`, `fingerprint ${server.fingerprint}`);

  heading('Two people make their accounts.');
  const alice = await register(server, 'alice', folder);
  const bob = await register(server, 'bob', folder);

  heading('Who is there?');
  const [list] = await Promise.all([alice.next('client-list'), alice.command('GET_CLIENT_LIST')]);
  tell('alice', 'GET_CLIENT_LIST', `CLIENT_LIST<${(list['clients'] as string[]).join(', ')}>`);

  heading('The server introduces them; from here on they talk directly, each knowing the key of the other.');
  const [opened, info] = await Promise.all([bob.next('session-opened'), alice.next('client-info'), alice.command('GET_CLIENT_INFO bob')]);
  tell('alice', 'GET_CLIENT_INFO bob', `CLIENT_INFO<bob, ${String((info['addresses'] as string[])[0])}>`, `key of bob ${String(info['fingerprint'])}`);
  tell('bob', `session with ${String(opened['peer'])}, ${String(opened['path'])}`, `key of alice ${String(opened['fingerprint'])}`);
  if (info['fingerprint'] !== bob.fingerprint || opened['fingerprint'] !== alice.fingerprint) throw new Error('they see other keys');

  heading('They chat.');
  await chat(alice, bob, 'Hello Bob! Shall I send you the film?');
  await chat(bob, alice, 'Yes please \u{1f44d}');

  heading('A file, checked against its hash before it gets its name.');
  await sendFile(alice, bob, folder);

  heading('Good-bye.');
  const [closed] = await Promise.all([bob.next('session-closed'), alice.command('CLOSE_SESSION')]);
  tell('alice', 'CLOSE_SESSION');
  tell('bob', `is told: ${String(closed['reason'])}`);
  await Promise.all([alice, bob].map((client) => Promise.all([client.next('disconnected'), client.command('DISCONNECT_CLIENT')])));
  tell('both', 'DISCONNECT_CLIENT');
}

async function cleanUp(): Promise<void> {
  for (let last = cleanUps.pop(); last !== undefined; last = cleanUps.pop()) await last();
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void cleanUp().finally(() => process.exit(1)));
}
try {
  await demo();
  console.log('\nAll of it worked.');
} catch (error) {
  console.error(`\nThis went wrong: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
} finally {
  await cleanUp();
}
