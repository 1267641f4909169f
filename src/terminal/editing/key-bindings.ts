/**
 * Keys → what they mean while a line is edited: the Emacs keys as bash binds them. One table; what each meaning does is
 * line-editor.ts's.
 */
import type { Key } from 'node:readline';

export type Binding =
  | 'line-start' | 'line-end' | 'char-back' | 'char-forward' | 'word-back' | 'word-forward'
  | 'delete-back' | 'delete-forward' | 'delete-or-end'
  | 'kill-to-end' | 'kill-to-start' | 'kill-spaced-word-back' | 'kill-word-back' | 'kill-word-forward'
  | 'yank' | 'yank-older' | 'last-argument'
  | 'transpose' | 'upper-case' | 'lower-case' | 'capitalise' | 'undo' | 'revert'
  | 'older' | 'newer' | 'oldest' | 'newest' | 'search-back' | 'search-forward'
  | 'accept' | 'line-break' | 'complete' | 'cancel' | 'clear' | 'interrupt';

/** Names as node:readline gives them, with `C-`, `M-` (Alt) and `S-` in front in this order; controls without a name by their code. */
const BINDINGS: Readonly<Record<string, Binding>> = {
  'C-a': 'line-start',
  home: 'line-start',
  'C-e': 'line-end',
  end: 'line-end',
  'C-b': 'char-back',
  left: 'char-back',
  'C-f': 'char-forward',
  right: 'char-forward',
  'M-b': 'word-back',
  'C-left': 'word-back',
  'M-left': 'word-back',
  'M-f': 'word-forward',
  'C-right': 'word-forward',
  'M-right': 'word-forward',
  backspace: 'delete-back',
  'S-backspace': 'delete-back',
  'C-h': 'delete-back',
  delete: 'delete-forward',
  'C-d': 'delete-or-end',
  'C-k': 'kill-to-end',
  'C-u': 'kill-to-start',
  'C-w': 'kill-spaced-word-back',
  'M-backspace': 'kill-word-back',
  'C-backspace': 'kill-word-back',
  'M-d': 'kill-word-forward',
  'C-delete': 'kill-word-forward',
  'M-delete': 'kill-word-forward',
  'C-y': 'yank',
  'M-y': 'yank-older',
  'M-.': 'last-argument',
  'M-_': 'last-argument',
  'C-t': 'transpose',
  'M-u': 'upper-case',
  'M-l': 'lower-case',
  'M-c': 'capitalise',
  '\x1f': 'undo',
  'M-r': 'revert',
  'C-p': 'older',
  up: 'older',
  'C-n': 'newer',
  down: 'newer',
  'M-<': 'oldest',
  'M->': 'newest',
  'C-r': 'search-back',
  'C-s': 'search-forward',
  return: 'accept',
  enter: 'accept',
  'M-return': 'line-break',
  'M-enter': 'line-break',
  tab: 'complete',
  'C-g': 'cancel',
  'C-l': 'clear',
  'C-c': 'interrupt',
};

/** What `key` means; undefined for text and for keys without a meaning. */
export function bindingOf(key: Key): Binding | undefined {
  const name = nameOf(key);
  if (name === undefined) return undefined;
  const shift = key.shift === true && name.length > 1 ? 'S-' : '';
  const combination = `${key.ctrl === true ? 'C-' : ''}${key.meta === true ? 'M-' : ''}${shift}${name}`;
  return Object.hasOwn(BINDINGS, combination) ? BINDINGS[combination] : undefined;
}

function nameOf({ name, meta, sequence }: Key): string | undefined {
  if (name !== undefined) return name;
  // Alt with a sign comes as Escape and the sign, without a name.
  if (meta === true) return sequence?.length === 2 ? sequence.charAt(1) : undefined;
  return sequence !== undefined && /^[\0-\x1f]$/u.test(sequence) ? sequence : undefined;
}
