/** Completion as the real shells do it; each is asked what it would offer. A shell that is not installed is left out, with a reason. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { SHELLS } from '../../src/bin/completion/completed-words.js';
import type { Shell } from '../../src/bin/completion/completed-words.js';
import { isVerb } from '../../src/bin/verb-arguments.js';
import { runVerb } from '../../src/bin/verbs.js';
import { CLIENT_MANUAL, SERVER_MANUAL } from '../../src/bin/manuals.js';
import { SERVER_PROGRAM } from '../../src/server/option-table.js';
import { COMMAND_NAMES } from '../../src/terminal/command-table.js';
import { CLIENT_PROGRAM } from '../../src/terminal/option-table.js';
import { findProgram, NotHere } from '../helpers/processes.js';
import { ProgramTerminal } from '../helpers/terminal.js';
import { FINGERPRINT } from '../terminal/fake-client.js';

const folder = mkdtempSync(join(tmpdir(), 'p2p-completion-'));
const home = join(folder, 'home');
mkdirSync(join(folder, 'files', 'folder of files'), { recursive: true });
mkdirSync(home);
writeFileSync(join(folder, 'files', 'pass word.txt'), '');
const pins = ['chat.example.org:9090', 'chat.example.org:9191', 'localhost:9090', 'evil$(touch${IFS}pwned):1', '`touch pwned`:2'];
writeFileSync(join(home, 'known_servers'), `# pins\n${pins.map((name) => `${name} ${FINGERPRINT} 2026-01-01\n`).join('')}`);
for (const shell of SHELLS) {
  writeFileSync(join(folder, `client.${shell}`), runVerb(['completion', shell], CLIENT_PROGRAM, CLIENT_MANUAL, COMMAND_NAMES, '1.0.0').stdout);
  writeFileSync(join(folder, `server.${shell}`), runVerb(['completion', shell], SERVER_PROGRAM, SERVER_MANUAL, [], '1.0.0').stdout);
}
after(() => rmSync(folder, { recursive: true, force: true }));

const env = { ...process.env, HOME: folder, P2P_HOME: home, LC_ALL: 'C.UTF-8' };

function installed(shell: Shell): { readonly program: string; readonly skip: string | false } {
  try {
    return { program: findProgram(shell), skip: false };
  } catch (error) {
    if (!(error instanceof NotHere)) throw error;
    return { program: shell, skip: error.message };
  }
}

function ask(program: string, args: readonly string[]): string[] {
  const { stdout, stderr, status } = spawnSync(program, args, { env, cwd: join(folder, 'files'), encoding: 'utf8' });
  assert.deepEqual([status, stderr], [0, ''], stderr);
  return stdout.split('\n').filter((line) => line !== '').sort();
}

/** What bash offers for the last word; words as bash itself would divide the line. */
function inBash(program: string, words: readonly string[]): string[] {
  const script = 'source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); "_${1//-/_}"; if ((${#COMPREPLY[@]})); then printf "%s\\n" "${COMPREPLY[@]}"; fi';
  return ask(program, ['--norc', '-c', script, 'bash', join(folder, `${words[0]?.slice(4) ?? ''}.bash`), ...words]);
}

describe('completion in bash', { skip: installed('bash').skip }, () => {
  const { program } = installed('bash');
  const offers = (...words: string[]) => inBash(program, ['p2p-client', ...words]);

  it('offers every option, and what an option may be', () => {
    assert.deepEqual(offers('--acc'), ['--accept', '--accept-from']);
    assert.equal(offers('--').length, Object.keys(CLIENT_PROGRAM.options).length - 2 + 2);
    assert.deepEqual(offers('--accept', ''), ['all', 'ask', 'none']);
    assert.deepEqual(offers('--accept', '=', 'n'), ['none']);
    assert.deepEqual(offers('--sessions', '='), ['ask', 'auto']);
    assert.deepEqual(offers('--exec', 'GET_CLIENT_L'), ['GET_CLIENT_LIST']);
    assert.deepEqual(offers('--user', ''), []);
  });

  it('offers files where an option takes a file, folders where it takes a folder', () => {
    assert.deepEqual(offers('--password-file', ''), ['folder of files', 'pass word.txt']);
    assert.deepEqual(offers('--received', ''), ['folder of files']);
  });

  it('offers the servers that are known, then their ports, and runs nothing that stands in the pins', () => {
    assert.deepEqual(offers(''), ['chat.example.org', 'completion', 'localhost', 'man-page']);
    assert.deepEqual(offers('chat.example.org', ''), ['9090', '9191']);
    assert.deepEqual(offers('--user', 'bob', 'localhost', ''), ['9090']);
    assert.deepEqual(offers('--home', folder, ''), ['completion', 'man-page']);
  });

  it('offers the shells', () => assert.deepEqual(offers('completion', ''), ['bash', 'fish', 'zsh']));

  it('knows the server too', () => {
    assert.deepEqual(inBash(program, ['p2p-server', '--log-level', 'f']), ['fatal']);
    assert.deepEqual(inBash(program, ['p2p-server', '--']), ['--data', '--help', '--host', '--log-level', '--port', '--version']);
  });

  it('works at the Tab key', async () => {
    const terminal = new ProgramTerminal(program, ['--norc', '-i'], { cwd: join(folder, 'files'), env: { ...env, PS1: '> ', TERM: 'xterm' } });
    try {
      terminal.enter(`source ${join(folder, 'client.bash')}`);
      terminal.type('p2p-client --accept=n\t--password-file pas\t');
      await terminal.waitForText(/p2p-client --accept=none --password-file pass\\ word\.txt/u);
    } finally {
      await terminal.close();
    }
  });
});

describe('completion in fish', { skip: installed('fish').skip }, () => {
  const { program } = installed('fish');
  const offers = (line: string) => ask(program, ['--no-config', '-c', `source ${join(folder, 'client.fish')}; complete -C ${JSON.stringify(line)}`]).map((one) => one.split('\t')[0] ?? '');

  it('offers every option, and what an option may be', () => {
    assert.deepEqual(offers('p2p-client --acc'), ['--accept', '--accept-from']);
    assert.deepEqual(offers('p2p-client --accept '), ['all', 'ask', 'none']);
    assert.deepEqual(offers('p2p-client --accept=n'), ['--accept=none']);
    assert.deepEqual(offers('p2p-client --password-file '), ['folder of files/', 'pass word.txt']);
    assert.deepEqual(offers('p2p-client --user '), []);
  });

  it('offers the servers that are known, then their ports', () => {
    assert.deepEqual(offers('p2p-client '), ['chat.example.org', 'completion', 'localhost', 'man-page']);
    assert.deepEqual(offers('p2p-client --user bob chat.example.org '), ['9090', '9191']);
    assert.deepEqual(offers('p2p-client completion '), ['bash', 'fish', 'zsh']);
  });
});

describe('completion in zsh', { skip: installed('zsh').skip }, () => {
  const { program } = installed('zsh');

  it('completes options, values, files and servers at the Tab key', async () => {
    const terminal = new ProgramTerminal(program, ['-f', '-i'], { cwd: join(folder, 'files'), columns: 120, env: { ...env, PS1: '> ', TERM: 'xterm' } });
    try {
      terminal.enter(`autoload -U compinit && compinit -u -D && source ${join(folder, 'client.zsh')} && echo ready`);
      await terminal.waitForText(/^ready$/mu);
      terminal.type('p2p-client --accept=n\t--password-file pas\tloc\t\t');
      await terminal.waitForText(/p2p-client --accept=none --password-file pass\\ word\.txt localhost 9090/u);
    } finally {
      await terminal.close();
    }
  });
});

describe('verbs', () => {
  it('stand alone or with a shell; before a port the word is a host', () => {
    assert.ok(isVerb(['completion']) && isVerb(['completion', 'bash']) && isVerb(['man-page']));
    assert.ok(!isVerb([]) && !isVerb(['completion', '9090']) && !isVerb(['man-page', '9090']) && !isVerb(['completion', 'bash', '--json']));
  });

  it('refuse a shell that they do not know, and name those they do', () => {
    const { stdout, stderr, failed } = runVerb(['completion', 'tcsh'], CLIENT_PROGRAM, CLIENT_MANUAL, [], '1.0.0');
    assert.deepEqual([stdout, failed], ['', true]);
    assert.match(stderr, /takes a shell: bash, zsh, fish/u);
  });
});
