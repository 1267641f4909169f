/**
 * Why the program ended → its exit code. One function, one meaning for each number; both are an interface and do not change.
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

/** What each tells those who start the program; help, manual page and README say the same. */
export const EXIT_CODES: readonly (readonly [code: ExitCode, means: string])[] = [
  [ExitCode.fine, 'everything was done; or --stay was ended by a signal'],
  [ExitCode.commandFailed, 'a command or a transfer failed, a time of WAIT_FOR passed, or a signal ended a script'],
  [ExitCode.usage, 'wrong usage: an option, the configuration, no password'],
  [ExitCode.cannotConnect, 'cannot connect, or the link to the server is lost for good'],
  [ExitCode.notAuthenticated, 'not authenticated, or logged in somewhere else'],
  [ExitCode.serverKeyChanged, "the server's identity changed"],
];

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
