/**
 * The screen as a person sees it, in the grid of a real terminal: live rows, sizes, wide characters, floods, pastes.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FaceOptions } from './face-in-terminal.js';
import { FaceInTerminal } from './face-in-terminal.js';

async function withFace(test: (face: FaceInTerminal) => Promise<void>, options: FaceOptions = {}): Promise<void> {
  const face = await FaceInTerminal.startLoggedIn(options);
  try {
    face.steer({ open: 'bob' });
    await face.terminal.waitForText(/alice → bob>$/u);
    await test(face);
  } finally {
    await face.close();
  }
}

const photo = { name: 'photo.jpg', size: 1_000_000, bytes: 0, rate: 100_000 };

function progress(face: FaceInTerminal, id: number, bytes: number): void {
  face.steer({ emit: { event: 'progress', id, bytes, total: 1_000_000, rate: 100_000 } });
}

/** How many rows show a running transfer. */
function bars(screen: readonly string[]): number {
  return screen.filter((row) => /^[↓↑] /u.test(row)).length;
}

describe('running transfers', () => {
  it('stand between what was said and the prompt, move, and go', () =>
    withFace(async (face) => {
      face.terminal.type('half');
      face.steer({ transfer: photo });
      progress(face, 1, 250_000);
      await face.terminal.waitForText(/^↓ photo\.jpg {2}from bob {2}█████░{15} {2}25 % {2}100 kB\/s {2}7\.5 s left\nalice → bob> half$/mu);
      face.message('nice one');
      progress(face, 1, 500_000);
      await face.terminal.waitForText(/^bob> nice one\n↓ photo\.jpg .* 50 % .*\nalice → bob> half$/mu);
      face.steer({ done: 1 });
      await face.terminal.waitForText(/Received "photo\.jpg"/u);
      const screen = await face.terminal.waitUntil((now) => bars(now) === 0, 'no bar any more');
      assert.equal(screen.at(-1), 'alice → bob> half');
      assert.equal(screen.filter((row) => row.startsWith('alice → bob>')).length, 1);
    }));

  it('that have no room are counted, and take at most half of the window', () =>
    withFace(
      async (face) => {
        for (let id = 1; id <= 9; id += 1) face.steer({ transfer: { ...photo, name: `photo ${id}.jpg` } });
        const screen = await face.terminal.waitForText(/^\+6 more\nalice → bob>$/mu);
        assert.equal(bars(screen), 3);
        face.message('still to be seen');
        await face.terminal.waitForText(/^bob> still to be seen\n↓ photo 1\.jpg/mu);
      },
      { rows: 8 },
    ));

  it('are drawn at most ten times a second, however often there is news', () =>
    withFace(async (face) => {
      face.steer({ transfer: photo });
      await face.terminal.waitUntil((screen) => bars(screen) === 1, 'the bar');
      const [began, from] = [performance.now(), face.terminal.raw.length];
      for (let bytes = 1_000; bytes <= 990_000; bytes += 1_000) progress(face, 1, bytes);
      await face.terminal.waitForText(/ 99 % /u);
      const drawn = face.terminal.raw.slice(from).split('photo.jpg').length - 1;
      assert.ok(drawn >= 1 && drawn <= 2 + (performance.now() - began) / 100, `${drawn} times`);
    }));
});

describe('the size of the window', () => {
  it('may change in the middle of bars: nothing is left behind, nothing above is lost', () =>
    withFace(
      async (face) => {
        for (let n = 1; n <= 12; n += 1) face.message(`precious ${n}`);
        await face.terminal.waitForText(/precious 12/u);
        for (let id = 1; id <= 3; id += 1) face.steer({ transfer: { ...photo, name: `photo ${id}.jpg` } });
        face.terminal.type('half');
        await face.terminal.waitForText(/photo 3\.jpg.*\nalice → bob> half$/u);
        for (const [at, [columns, rows]] of [[40, 24], [100, 24], [100, 12], [60, 12], [100, 12], [100, 24], [60, 24], [30, 24], [14, 24], [80, 24], [80, 9], [80, 40]].entries()) {
          face.terminal.resize(columns ?? 0, rows ?? 0);
          progress(face, 1, 10_000 * (at + 1));
          await face.terminal.waitForText(new RegExp(`^↓ .* ${at + 1} %`, 'mu'));
          face.message(`at ${at}`);
          const screen = await face.terminal.waitUntil((now) => now.join('').includes(`at ${at}`) && /bob> half$/u.test(now.join('\n')) && bars(now) === 3, `three bars at ${columns} by ${rows}`);
          assert.equal(screen.filter((row) => row.includes('half')).length, 1);
        }
        const screen = face.terminal.screen();
        for (let n = 1; n <= 12; n += 1) assert.ok(screen.includes(`bob> precious ${n}`), screen.join('\n'));
        assert.equal(screen.filter((row) => row.includes('░')).length, 3);
      },
      { columns: 80 },
    ));

  it('is empty but for the prompt after Ctrl-L, and what was in it is in the scroll-back', () =>
    withFace(
      async (face) => {
        face.message('precious');
        face.terminal.type('half');
        await face.terminal.waitForText(/^bob> precious\n.*half$/mu);
        face.terminal.type('\x0c');
        const screen = await face.terminal.waitUntil((now) => now.length > 10 && now.at(-1)?.endsWith('half') === true && now.at(-2) === '', 'an empty window');
        assert.ok(screen.includes('bob> precious'));
        assert.equal(screen.filter((row) => row.endsWith('half')).length, 1);
      },
      { rows: 10 },
    ));

  it('may be ten columns and three rows', () =>
    withFace(
      async (face) => {
        face.terminal.resize(10, 3);
        await face.terminal.waitForText(/bob>$/u);
        face.steer({ transfer: photo });
        progress(face, 1, 330_000);
        face.message('one two three');
        face.terminal.type('a long line that needs many rows');
        await face.terminal.waitUntil((screen) => screen.join('').replaceAll(' ', '').endsWith('manyrows'), 'the end of what is typed');
        face.message('end');
        const screen = await face.terminal.waitForText(/^bob> end$/mu);
        assert.ok(screen.includes('bob> one') && screen.includes('bob> two') && screen.includes('bob> thre'), screen.join('\n'));
        face.terminal.type('\x15');
        await face.terminal.waitForText(/^bob> end\n↓ .*33 %\n.*bob>$/mu);
        face.terminal.enter('sent');
        await face.called('["say","sent"]');
      },
      { columns: 60 },
    ));
});
