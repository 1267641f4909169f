/** Reads src/protocol/PROTOCOL.md, so that tests hold the code against the page that strangers implement from. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with `package.json` and `src`, wherever the compiled tests lie below it. */
export function projectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'src/protocol/PROTOCOL.md'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error('src/protocol/PROTOCOL.md is in no folder above this test');
    folder = parent;
  }
  return folder;
}

/** The text under the heading that begins with `number`, up to the next heading of any level. */
export function section(number: string): string {
  const page = readFileSync(join(projectRoot(), 'src/protocol/PROTOCOL.md'), 'utf8');
  const part = page.split(/^#+ /mu).find((one) => one.startsWith(`${number} `) || one.startsWith(`${number}. `));
  if (part === undefined) throw new Error(`PROTOCOL.md has no section ${number}`);
  return part;
}

/** The rows of the first table in a section, without its head: one array of trimmed cells each. */
export function tableRows(text: string): string[][] {
  const rows = text.split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Every word in back-ticks. */
export function quoted(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/gu), (match) => match[1] ?? '');
}
