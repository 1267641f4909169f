/**
 * What is known of a terminal from its surroundings and cannot be asked: whether it wraps rows anew when its width
 * changes, and which notifications it has. Pure.
 *
 * A question to the terminal itself would be answered among the keys, and where the program ends first, in the shell.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What becomes of rows that are longer than the new width. `no`: they are cut. `all`: they are wrapped, and the cursor goes
 * with its cell. `others`: as `all`, but the row of the cursor is cut.
 */
export type Rewrap = 'no' | 'all' | 'others';

const REWRAPPING_PROGRAMS = new Set(['iTerm.app', 'Apple_Terminal', 'WezTerm', 'ghostty', 'tmux', 'WarpTerminal']);
const REWRAPPING_TERMS = /^(?:tmux|alacritty|foot|xterm-kitty|xterm-ghostty|wezterm|konsole)/u;

/**
 * Too little leaves rests of the live area above it, too much would destroy what was printed. So where nothing is known it
 * is `others` for a TERM that nearly all terminals of today give themselves, and `no` for all else.
 */
export function rewrapOf(env: Environment): Rewrap {
  const term = env['TERM'] ?? '';
  if (isSet(env, 'TMUX')) return 'all';
  // What screen runs in says nothing about screen.
  if (/^(?:screen|linux|vt|rxvt|dumb|cons)/u.test(term) || isSet(env, 'STY') || isSet(env, 'XTERM_VERSION')) return 'no';
  if (env['TERM_PROGRAM'] === 'vscode') return 'others';
  if (REWRAPPING_PROGRAMS.has(env['TERM_PROGRAM'] ?? '') || REWRAPPING_TERMS.test(term)) return 'all';
  if (['VTE_VERSION', 'KITTY_WINDOW_ID', 'KONSOLE_VERSION', 'WT_SESSION', 'ALACRITTY_WINDOW_ID'].some((name) => isSet(env, name))) return 'all';
  return term.startsWith('xterm') ? 'others' : 'no';
}

/** `osc9`: iTerm2's, the text alone. `osc777`: rxvt-unicode's, title and text. `none`: only the bell. */
export type NotificationKind = 'osc9' | 'osc777' | 'none';

/** Others would show an unknown sequence, or take OSC 9 for something else. */
export function notificationKindOf(env: Environment): NotificationKind {
  const term = env['TERM'] ?? '';
  // These keep such sequences to themselves, and tell of the bell.
  if (isSet(env, 'TMUX') || isSet(env, 'STY') || /^(?:tmux|screen)/u.test(term)) return 'none';
  const program = env['TERM_PROGRAM'];
  if (program === 'iTerm.app') return 'osc9';
  if (program === 'WezTerm' || program === 'ghostty' || isSet(env, 'KITTY_WINDOW_ID')) return 'osc777';
  if (/^(?:foot|rxvt-unicode|xterm-kitty|xterm-ghostty|wezterm)/u.test(term)) return 'osc777';
  // Terminals of the VTE family have ignored or shown it since 0.46.
  return Number(env['VTE_VERSION'] ?? 0) >= 4600 ? 'osc777' : 'none';
}

function isSet(env: Environment, name: string): boolean {
  return (env[name] ?? '') !== '';
}
