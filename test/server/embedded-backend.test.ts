/** The embedded backend keeps the contract of server/backend.ts. */
import { rm } from 'node:fs/promises';
import { after } from 'node:test';
import { EmbeddedBackend } from '../../src/server/embedded-backend.js';
import { Store } from '../../src/server/store.js';
import { temporaryDirectory, testSecrets } from '../helpers/test-server.js';
import { describeBackend } from './backend-contract.js';

const directories: string[] = [];
after(() => Promise.all(directories.map((directory) => rm(directory, { recursive: true, force: true }))));

async function open(directory: string): Promise<EmbeddedBackend> {
  return new EmbeddedBackend(await Store.open(directory, testSecrets));
}

describeBackend('embedded', {
  async make() {
    const directory = await temporaryDirectory();
    directories.push(directory);
    return await open(directory);
  },
  async reopen(backend) {
    await backend.close();
    return await open(directories.at(-1)!);
  },
});
