/** What is wrong about arguments is said in the name of the program that was given them. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ArgumentsEnd, readArguments } from '../../src/bin/command-line.js';
import { SERVER_PROGRAM } from '../../src/server/option-table.js';
import { CLIENT_PROGRAM } from '../../src/terminal/option-table.js';

for (const program of [CLIENT_PROGRAM, SERVER_PROGRAM]) {
  it(`an unknown option is refused by ${program.name}, by name`, (t) => {
    const written = t.mock.method(process.stderr, 'write', () => true);
    assert.throws(() => readArguments(program, ['--nonsense'], '1.0.0'), (error) => error instanceof ArgumentsEnd && error.failed);
    written.mock.restore();
    const text = written.mock.calls.map(({ arguments: [chunk] }) => String(chunk)).join('');
    assert.equal(text, `${program.name}: unknown option '--nonsense'\n${program.name} --help shows all options.\n`);
  });
}
