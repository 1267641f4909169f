/** Reads README.md, so that tests run its examples and hold its tables against the code. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../protocol/specification.js';

function page(): string {
  return readFileSync(join(projectRoot(), 'README.md'), 'utf8');
}

/** The contents of all code blocks in that language, in order. */
export function readmeBlocks(language: string): string[] {
  return [...page().matchAll(/^```(?<language>\w*)\n(?<code>[^]*?)^```$/gmu)].filter(({ groups }) => groups?.['language'] === language).map(({ groups }) => groups?.['code'] ?? '');
}

/** The one code block whose first line is `firstLine`, a comment that names it. */
export function readmeExample(language: string, firstLine: string): string {
  const found = readmeBlocks(language).filter((code) => code.startsWith(`${firstLine}\n`));
  const [only] = found;
  if (found.length !== 1 || only === undefined) throw new Error(`README.md has ${found.length} blocks that begin with ${firstLine}`);
  return only;
}

/** The rows of the table whose head begins with `| head |`, one array of trimmed cells each. */
export function readmeTable(head: string): string[][] {
  const [, table] = page().split(`\n| ${head} |`);
  if (table === undefined) throw new Error(`README.md has no table ${head}`);
  const rows = table.split('\n').slice(2);
  const end = rows.findIndex((row) => !row.startsWith('|'));
  return rows.slice(0, end).map((row) =>
    row
      .split(/(?<!\\)\|/u)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
