/**
 * One run of the client, from options to exit code: engine, login, one face, a proper end.
 *
 * Knows the engine only as {@link ClientApi}; bin/ hands in how to make one, the streams, and the signals.
 */
import type { Readable } from 'node:stream';
import type { ClientApi } from '../client/api.js';
import type { ClientOptions } from '../client/options.js';
import type { Clock } from '../net/clock.js';
import { P2pError } from '../protocol/errors.js';
import { isUtf8 } from './charset.js';
import type { ChatLog } from './chat-log.js';
import type { Palette } from './colours.js';
import { colourLevel, createPalette } from './colours.js';
import type { ExitCode } from './exit-codes.js';
import { ExitCode as Exit, exitCodeFor } from './exit-codes.js';
import type { Face } from './face.js';
import { writeLastServer } from './last-server.js';
import { linksCanBeShown } from './links.js';
import type { TerminalOptions } from './options.js';
import type { OutputStream } from './output.js';
import { Output } from './output.js';
import { checkPassword, readPasswordFile } from './password-source.js';
import type { Screen } from './screen.js';
import type { SignInOptions } from './sign-in.js';
import { requireCredentials, signInByAsking, signInSilently } from './sign-in.js';

export interface RunSurroundings {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeDirectory: string;
  readonly clock: Clock;
  readonly date: () => Date;
  /** Calls `stop` when the program is asked to end (SIGINT, SIGTERM); returns how to take that back. */
  readonly onSignal: (stop: () => void) => () => void;
  /** What the person should know before anything else. */
  readonly notices?: readonly string[];
}

/** Streams that files may come from and go to: `SEND_FILE - name`, `--received -`. */
export interface FileStreams {
  readonly stdin: Readable;
  readonly stdout: OutputStream;
}

export type CreateClient = (options: ClientOptions, clock: Clock, streams: FileStreams) => ClientApi | Promise<ClientApi>;

/**
 * Runs until the person, the input, the server or a signal ends it. Expected errors are told through the face and become
 * an exit code; everything else is thrown.
 */
export async function run(options: TerminalOptions, createClient: CreateClient, surroundings: RunSurroundings): Promise<ExitCode> {
  const stderr = new Output(surroundings.stderr);
  // Also where it is for a file and not one line may go there: its errors are then the transfer's, and must not end the program.
  const given = new Output(surroundings.stdout);
  const stdout = options.oneToStdout ? stderr : given;
  const face = await createFace(options, surroundings, stdout, stderr);
  const stop = new AbortController();
  let api: ClientApi | undefined;
  let log: ChatLog | undefined;
  let forget: (() => void) | undefined;
  const heedSignals = () => {
    forget = surroundings.onSignal(() => stop.abort());
  };
  try {
    for (const notice of surroundings.notices ?? []) face.warn(notice);
    const signIn = await completeCredentials(options, face);
    if (!options.mayAsk) requireCredentials(signIn);
    api = await createClient(options.engine, surroundings.clock, { stdin: surroundings.stdin, stdout: surroundings.stdout });
    log = await chatLog(options, surroundings, face, () => api?.user);
    api.onEvent((event) => {
      log?.see(event);
      return face.show(event);
    });
    const asking = options.mayAsk && (signIn.user === undefined || signIn.password === undefined);
    // While questions block the event loop a handler could not run, so signals keep their own way of ending the program.
    if (!asking) {
      heedSignals();
      endOnAbort(api, stop.signal);
    }
    await api.connect();
    if (asking) {
      const { terminalQuestioner } = await import('./questions.js');
      await signInByAsking(api, signIn, terminalQuestioner);
      heedSignals();
    } else {
      await signInSilently(api, signIn);
    }
    const { home, host, port } = options.engine;
    if (api.user !== undefined) await writeLastServer(home, { host, port, user: api.user });
    return await face.run(api, stop.signal);
  } catch (error) {
    if (!(error instanceof P2pError)) throw error;
    // What a signal ended did not fail.
    if (stop.signal.aborted && error.code === 'closed') return Exit.fine;
    face.fail(error);
    // That the link is closed now is part of the same news.
    api?.onEvent(() => undefined);
    const code = exitCodeFor(error.code);
    return code === Exit.fine ? Exit.commandFailed : code;
  } finally {
    forget?.();
    await api?.close();
    await log?.close();
    face.close();
  }
}

async function chatLog({ logChat: folder }: TerminalOptions, { date }: RunSurroundings, face: Face, user: () => string | undefined): Promise<ChatLog | undefined> {
  if (folder === undefined) return undefined;
  const { openChatLog } = await import('./chat-log.js');
  return await openChatLog({ folder, date, user, warn: (text) => face.warn(text) });
}

/** A signal during connect or login. */
function endOnAbort(api: ClientApi, stop: AbortSignal): void {
  stop.addEventListener('abort', () => {
    if (api.user === undefined) void api.close();
  });
}

async function completeCredentials(options: TerminalOptions, face: Face): Promise<SignInOptions> {
  const { user, newUser } = options;
  if (options.passwordFile !== undefined) {
    const { password, othersMayRead } = await readPasswordFile(options.passwordFile);
    if (othersMayRead) face.warn(`Other users of this machine can read ${options.passwordFile}; chmod 600 keeps it to yourself.`);
    return { user, newUser, password };
  }
  if (options.password !== undefined) checkPassword(options.password, 'P2P_PASSWORD');
  return { user, newUser, password: options.password };
}

/** Each face is loaded only when it is the one. */
async function createFace(options: TerminalOptions, surroundings: RunSurroundings, stdout: Output, stderr: Output): Promise<Face> {
  const { stdin, clock, homeDirectory, env, date } = surroundings;
  const { exec, stay } = options;
  if (options.face === 'json') {
    const { JsonFace } = await import('./json-face.js');
    return new JsonFace({ stdin, stdout, stderr, homeDirectory, exec, stay, clock, date });
  }
  const palette = createPalette(colourLevel({ isTTY: stdout.isTTY, depth: stdout.colourDepth, env }), { links: stdout.isTTY && linksCanBeShown(env) });
  const { accept } = options.engine;
  if (options.face === 'script') {
    const { ScriptFace } = await import('./script-face.js');
    return new ScriptFace({ stdin, stdout, stderr, palette, clock, homeDirectory, exec, stay, accept, stdinIsTTY: options.stdinIsTTY, untilReceived: options.oneToStdout });
  }
  const { TerminalFace } = await import('./terminal-face.js');
  const { Editing } = await import('./editing/sources.js');
  const screen = await createScreen(surroundings, stdout, palette);
  const editing = new Editing({ clock, home: options.engine.home, homeDirectory });
  return new TerminalFace({ screen, editing, stdout, clock, homeDirectory, accept, palette, date, timestamps: options.timestamps, attention: options.attention });
}

async function createScreen({ stdin, clock, env }: RunSurroundings, stdout: Output, palette: Palette): Promise<Screen> {
  const utf8 = isUtf8(env);
  if (!stdout.isTTY || env['TERM'] === 'dumb') {
    const { PlainScreen } = await import('./screen/plain-screen.js');
    return new PlainScreen(stdin, stdout, palette, utf8);
  }
  const [{ PromptScreen }, { rewrapOf, notificationKindOf }] = await Promise.all([import('./screen/prompt-screen.js'), import('./screen/terminal-kind.js')]);
  return new PromptScreen({ stdin, stdout, palette, clock, utf8, rewrap: rewrapOf(env), notifications: notificationKindOf(env) });
}
