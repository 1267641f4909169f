/**
 * Why the program ended → its exit code. One function, one meaning for each number (README, options and exit codes).
 */
import type { ErrorCode } from '../protocol/errors.js';

export const ExitCode = {
  fine: 0,
  commandFailed: 1,
  usage: 2,
  cannotConnect: 3,
  notAuthenticated: 4,
  serverKeyChanged: 5,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/**
 * For an error that ends the program: at start, at login, or a `disconnected` event. A command that fails inside a script
 * is always {@link ExitCode.commandFailed}, whatever its code.
 */
export function exitCodeFor(code: ErrorCode): ExitCode {
  switch (code) {
    case 'closed':
      return ExitCode.fine;
    case 'usage':
    case 'bad-argument':
    case 'password-missing':
      return ExitCode.usage;
    case 'cannot-connect':
    case 'link-lost':
    case 'unsupported-version':
    case 'bad-frame':
    case 'bad-message':
    case 'unexpected-message':
    case 'timed-out':
    case 'too-slow':
    case 'shutting-down':
    case 'server-error':
      return ExitCode.cannotConnect;
    case 'not-authenticated':
    case 'too-many-attempts':
    case 'rate-limited':
    case 'name-taken':
    case 'bad-name':
    case 'intercepted':
    case 'displaced':
      return ExitCode.notAuthenticated;
    case 'server-key-changed':
      return ExitCode.serverKeyChanged;
    default:
      return ExitCode.commandFailed;
  }
}
