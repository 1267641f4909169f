/**
 * Every limit of the program, with its unit and its reason; PROTOCOL.md section 9 repeats those that a peer can notice.
 *
 * Owns numbers only. A buffer, queue, map, wait or retry anywhere else takes its bound from here.
 */

const KiB = 1024;
const MiB = 1024 * KiB;
const SECOND = 1000;

/** Frames (PROTOCOL.md 2): bytes of `kind ‖ body`, as the length field counts them. */
export const frameLimits = {
  /** Before login or `go`. An OPAQUE record with a sealed key is below 1 KiB; a stranger gets no more room than that needs. */
  beforeLoginBytes: 8 * KiB,
  /** After login or `go`. Holds a 16 KiB chat message with ordinary JSON escapes; the sender checks the encoded size as well. */
  controlBytes: 64 * KiB,
  /** File bytes in one data frame: small enough for chat to slip in between, large enough to cost little. */
  dataPayloadBytes: 256 * KiB,
  /** Transfer id (u32), entry (u32) and offset (u64) in front of the file bytes. */
  dataHeaderBytes: 16,
} as const;

/** JSON from the other side (PROTOCOL.md 3). */
export const jsonLimits = {
  /** Our deepest message, a plan with points, nests five levels; JSON.parse itself recurses, so depth is bounded before it runs. */
  maxDepth: 8,
} as const;

/** Text. */
export const textLimits = {
  /** User name, characters (ASCII). 32 as in most chat systems; fits a prompt. */
  userNameChars: 32,
  /** One chat message, bytes of UTF-8. */
  chatBytes: 16 * KiB,
  /** A file name, bytes of UTF-8: NAME_MAX of ext4, APFS, NTFS is 255; the rest is room for ` (12)`. */
  fileNameBytes: 240,
  /** The free text of an error or a bye, characters. */
  errorMessageChars: 500,
  /** What AWAY says, characters: one line of a wide terminal. */
  awayChars: 200,
  /** `agent` in hello, characters. */
  agentChars: 64,
  /** A password, bytes of UTF-8. Argon2 takes any length; this bounds a mistake such as a file given as password. */
  passwordBytes: 1 * KiB,
  /** Combining marks shown after one base character; real scripts need at most four, "Zalgo" text uses hundreds. */
  combiningMarks: 4,
} as const;

/** Time, milliseconds. */
export const timeLimits = {
  /** TCP connect of one candidate. */
  connectMs: 10 * SECOND,
  /** From accept or connect to the end of the TLS handshake; absolute, not idle (HOSTILE 1). */
  tlsHandshakeMs: 10 * SECOND,
  /** From the end of the handshake to login; people type (DESIGN 7). */
  loginMs: 120 * SECOND,
  /** A ping goes out after this long without sending. */
  heartbeatMs: 30 * SECOND,
  /** A link without a received byte for this long is dead: three heartbeats. */
  deadMs: 90 * SECOND,
  /** Between two warnings of the same changed key when its owner asks again and again: each is several lines. */
  keyChangeToldMs: 60 * SECOND,
  /** For the answer to a ping of which the round trip is wanted; it waits behind what is on its way. */
  roundTripMs: 3 * SECOND,
  /** A request to the server without a reply. Longer than `answerMs`, so that the server's own word arrives first. */
  requestMs: 75 * SECOND,
  /** A client's answer to an introduction; a person may be asked (`--sessions ask`). */
  answerMs: 60 * SECOND,
  /** A refused introduction is never told faster than this, so that unknown, offline and blocked take the same time. */
  unavailableMs: 500,
  /** All paths of an introduction; then a clear failure, before a person gives up. */
  raceMs: 15 * SECOND,
  /** Between starting one candidate and the next (RFC 8305 section 8 recommends 250 ms). */
  staggerMs: 250,
  /** A TCP connection to our listener that says nothing: after this we, as asker, speak first (PROTOCOL.md 7.2). */
  silentDialerMs: 250,
  /** For a link to go over to another connection (PROTOCOL.md 7.3.2), and for who may dial it. */
  moveMs: 15 * SECOND,
  /** On a peer listener: from accept to a valid hello. */
  peerHelloMs: 10 * SECOND,
  /** A polite close: after this the socket is destroyed (ws uses 30 s; nobody waits that long at a prompt). */
  closeMs: 2 * SECOND,
  /** A send queue that does not move for this long ends the connection. */
  sendStallMs: 10 * SECOND,
  /** First and last wait between attempts to re-make a link; full jitter in between. */
  backOffFirstMs: 500,
  backOffLastMs: 30 * SECOND,
  /** How often a running transfer reports progress. */
  progressMs: 250,
  /** For how long a session whose link broke is re-introduced before it ends (issue: ten minutes; a router restarts in two). */
  reconnectMs: 10 * 60 * SECOND,
  /** A link that broke sooner was of no use: after some of those (`shortLinks`) the wait before the next grows. */
  shortLinkMs: 10 * SECOND,
  /** The one who was asked waits this long before asking too: the other is quicker unless it is gone. */
  reconnectAnswererMs: 3 * SECOND,
  /** Coming, and what AWAY says, is told after this long: a login and the away text behind it are one piece of news… */
  presenceSettleMs: 1 * SECOND,
  /** …going after this long, since most links that break are back before. */
  absenceSettleMs: 5 * SECOND,
  /** News of one person go to those who watch at most this often: toggling AWAY is no way to fill their screens. */
  presenceEveryMs: 5 * SECOND,
  /** After a server came back, those who are missing there are only told to be offline after this long: they come back one after the other. */
  presenceReturnMs: 30 * SECOND,
  /** A transfer without progress for this long is told to be stalled, with the reason. */
  stalledMs: 5 * SECOND,
  /** Waiting for one's own disk or rate limit for this long is told to the other side. */
  waitsMs: 1 * SECOND,
  /** How often a full disk is tried again. */
  fullRetryMs: 5 * SECOND,
  /** A folder that takes longer to count is offered with what has been counted. */
  countMs: 1 * SECOND,
  /** How often the count of a folder is told while it grows. */
  tallyMs: 500,
  /** A partial that nobody asked for again is removed after this long: 30 days. */
  partialKeptMs: 30 * 24 * 60 * 60 * SECOND,
} as const;

/** Server (DESIGN 7): who may hold how much of it. */
export const serverLimits = {
  /** Connections from one address (IPv4 /32, IPv6 /64) at once; loopback exempt. Many people share one NAT. */
  connectionsPerAddress: 16,
  /** New connections from one address in a minute; loopback exempt. */
  newConnectionsPerAddressPerMinute: 32,
  /** Connections before login in total, loopback included; each costs at most one small frame and a TLS state. */
  unauthenticatedConnections: 1024,
  /** Addresses remembered for rates and penalties; the oldest is forgotten beyond that. */
  rememberedAddresses: 65_536,
  /** Login attempts on one connection: the person may mistype twice. */
  loginAttemptsPerConnection: 3,
  /** Failed logins for one account in 15 minutes before further attempts are put off (RFC 9807 10.9 asks for online guessing limits). */
  loginFailuresPerAccount: 20,
  loginFailuresWindowSeconds: 15 * 60,
  /** New accounts from one address in an hour; loopback exempt. */
  registrationsPerAddressPerHour: 20,
  /** Requests after login: a token bucket. */
  requestBurst: 10,
  requestsPerSecond: 5,
  /** Messages of any kind on one link, requests and pongs included, answers to questions not: far above the requests, so that only a flood meets it. */
  messageBurst: 80,
  messagesPerSecond: 20,
  /** Messages read from a link and not yet handled; beyond that the link is not read. */
  inboxMessages: 10,
  /** Log lines about connections that broke the rules: this many at once, then one a second (HOSTILE 5). */
  misuseLogBurst: 20,
  misuseLogsPerSecond: 1,
  /** Introductions waiting for an answer, per asker and per target. */
  pendingIntroductionsPerAsker: 8,
  pendingIntroductionsPerTarget: 16,
  /** Introductions one account may ask for in a minute. */
  introductionsPerMinute: 30,
  /** Send queue of one connection, bytes; beyond that the reader is too slow and is dropped (DESIGN 7). */
  sendQueueBytes: 256 * KiB,
  /** Names in one page of the list: at most 18 KiB of JSON. */
  listPage: 500,
  /** People whose coming and going one link is told: more than anybody talks to, and few enough to be told again at every return. */
  watchedPerLink: 100,
  /** Bytes of away texts in one reply; the rest are sent empty, so that the longest page still fits into one frame. */
  awayBytesPerReply: 12 * KiB,
  /** Sealed identity key, bytes: 12 nonce + 48 PKCS8 + 16 tag is 76. */
  sealedKeyBytes: 256,
} as const;

/** Introductions and peer links. */
export const peerLimits = {
  /** Candidates one side may name: a laptop with VPN and containers has fewer. */
  candidates: 8,
  /** Unauthenticated connections on the peer listener: in total and from one address. */
  unauthenticatedConnections: 64,
  unauthenticatedPerAddress: 8,
  /** Lowest listen port passed on. Below live system services, at which nobody may be pointed. */
  lowestPort: 1024,
  /** Bytes of control frames waiting to be sent; far above any honest use, chat waits for its acknowledgement. */
  sendQueueBytes: 4 * MiB,
  /** Chat messages sent and not yet acknowledged; more wait with the caller. */
  unacknowledgedMessages: 256,
  /** Bytes of them: all that was not acknowledged is sent again at once after a break, and must not fill the send queue. */
  chatInFlightBytes: 1 * MiB,
  /** Messages that may wait for a peer who is away or confirms none; half of `commandsAtOnce`, so that a program can still do something else. */
  undeliveredMessages: 128,
  /** Links of a session that may break soon, one after the other, before the next is waited for. */
  shortLinks: 3,
  /** A session ends when its peer breaks the rules for the second time in a row: once may be a mishap of a broken link. */
  violations: 2,
  /** Sessions ended by this person whose peers may not know yet. */
  rememberedSessions: 64,
  /** Open sessions of one client, and introductions that it has agreed to: each may hold a receive window for every transfer. */
  sessions: 64,
} as const;

/** What a client takes from its server, which may be hostile. */
export const clientLimits = {
  /** Questions for a session that wait for this client's answer: as many as an honest server lets wait (`pendingIntroductionsPerTarget`). */
  questions: serverLimits.pendingIntroductionsPerTarget,
  /** Names in the block list: far more than a person types; the file is read and written as a whole. */
  blocked: 10_000,
  /** Names of one list, fetched page by page: half of what `requestBurst` allows, and more than anybody reads; a prefix finds the others. */
  listedClients: (serverLimits.requestBurst / 2) * serverLimits.listPage,
  /** Keys offered in place of one peer's known one that wait for a decision: an honest peer has one, a server that lies may name many. */
  offeredKeys: 4,
  /** Characters of a fingerprint that say which key is accepted in place of a verified one: 48 bits, more than anybody hits by chance. */
  keyEndChars: 8,
  /** Events that a program which uses the engine as a library has not read; the oldest is dropped beyond that. 16 MiB at most, where all are messages. */
  unreadEvents: 1_000,
  /** From so many unread events on the peers who cause more are held back… */
  unreadEventsBeforeHold: 100,
  /** …unless the program is busy with one event for longer than this, milliseconds: it may be waiting for what only a peer can send. */
  holdMs: 30 * SECOND,
} as const;

/** Transfers. */
export const transferLimits = {
  /** Bytes of data and end frames sent and not yet written by the receiver: covers 8 MiB of bandwidth-delay (1 Gbit/s at 60 ms), bounds both sides' memory. */
  windowBytes: 8 * MiB,
  /** The smallest window, for transfers that begin while many others run. */
  leastWindowBytes: 256 * KiB,
  /** Windows granted to all transfers of all sessions together: 64 sessions of 16 transfers would hold 8 GiB otherwise. */
  allWindowsBytes: 64 * MiB,
  /** Credit is given in steps of this size, or of a quarter of the window where that is less. Measured: 1 MiB costs both sides 2 % more. */
  creditStepBytes: 2 * MiB,
  /** So much of a transfer has come that a better connection for the rest pays for its TLS handshake (some 10 ms on both sides). */
  muchBytes: 16 * MiB,
  /** One reused read or write buffer. Measured: fresh buffers cost 2 to 4 times the system time. */
  bufferBytes: 1 * MiB,
  /**
   * One write to a received file. Measured on Linux 6.18 with ext4, medians per GiB: 256 KiB 0.6 s of system time, 1 MiB
   * 2.3 s, since the page cache then takes pages so large that most of them are memory not touched before; 64 KiB 1.0 s.
   */
  writeBytes: 256 * KiB,
  /** How much less urgent the disks' threads are (nice): 2 still let chat wait 20 ms, 5 cost the receiver some speed. */
  diskNiceness: 3,
  /** Offers from one peer that wait for a decision. */
  pendingOffersPerPeer: 64,
  /** Own transfers with one peer that have not ended: a few thousand cost next to nothing, without end they would. */
  queuedOffers: 4096,
  /** Ended transfers of one peer whose late data and repeated offers are still recognised; the oldest is forgotten beyond that. */
  rememberedTransfers: 1024,
  /** Transfers under way with one peer, each direction. More offers wait in the queue of the receiver… */
  activePerPeer: 8,
  /** …but for small ones, of which as many again may run, so that none waits for a large one. Bytes. */
  smallBytes: 1 * MiB,
  /** Largest file: 2^53 − 1, the largest integer that JSON carries exactly. */
  fileBytes: Number.MAX_SAFE_INTEGER,
  /** Names tried as `name (n).ext` before giving up. */
  collisionNames: 10_000,
  /** Files and folders in one folder that is sent: the largest source trees have about 100,000 (Linux, Chromium 400,000). */
  folderEntries: 500_000,
  /** Folders within folders; the deepest `node_modules` known has about 20. */
  folderDepth: 64,
  /** A path within a folder, bytes of UTF-8 with one `/` between names: half of PATH_MAX (4096), so that it fits below any home. */
  pathBytes: 2048,
  /** Entries in one `entries` message. */
  entriesPerMessage: 512,
  /** Entries that may be listed and have not ended: the receiver's memory for a folder. */
  entriesAhead: 8192,
  /** Points in one file at which a receiver says what it has. */
  pointsPerEntry: 8,
  /** Entries that a receiver asks for before it shows an offer: what takes longer is said to be "at least". */
  surveyEntries: 65_536,
  /** Entries left out of a folder that are told one by one; more are counted. */
  toldSkips: 20,
  /** Paths remembered as told, since every walk of a folder finds them again; of what is left out beyond them nothing is told. */
  rememberedSkips: 65_536,
  /** A folder with more files than this is flushed as a whole file system, not file by file (measured: 10,000 files 0.2 s instead of 1.6 s). */
  flushSingly: 256,
} as const;

/** What a person or a program types, and what waits for the screen; nothing here shows on the wire. */
export const terminalLimits = {
  /** One line on stdin, bytes: a chat message of 16 KiB with every character escaped in JSON is 96 KiB. */
  lineBytes: 128 * 1024,
  /** JSON lines handled at once; beyond that stdin waits. */
  commandsAtOnce: 256,
  /** `id` of a JSON line where it is a string, characters. */
  requestIdChars: 64,
  /** Lines that wait for the next redraw of the prompt; a flood is written out in pieces of this size. */
  linesPerRedraw: 500,
  /** Progress is drawn at most this often, milliseconds: more is not seen, and costs the terminal. */
  redrawEveryMs: 100,
  /** Of pasted text no more than this is taken in, characters: far more than a message may have, so that it is still refused as too long. */
  pasteChars: 256 * 1024,
  /** Text is pasted as long as its end has not come, but no longer than this after its last piece, milliseconds. */
  pasteGapMs: 1_000,
  /** A line about a running transfer comes at most this often, milliseconds… */
  progressEveryMs: 2_000,
  /** …and only when this many percent were added, or after this much longer without. */
  progressStepPercent: 10,
  progressAtLeastEveryMs: 30_000,
  /** The lowest rate limit, bytes a second: less is a forgotten unit, and a link that looks dead. */
  leastRate: 1_000,
  /** A second Ctrl-C leaves when it follows the first within this time, milliseconds. */
  interruptTwiceMs: 3_000,
  /** A password file, bytes read; a longer first line is a mistake. */
  passwordFileBytes: 4 * 1024,
  /** A configuration file, bytes: with every option and a comment for each it has two thousand. */
  configFileBytes: 64 * 1024,
  /** Lines of the chat log that wait for the disk, characters, all people together: the largest message that can be sent fits 60 times. */
  chatLogQueueChars: 1024 * 1024,
  /** What is remembered of the last server, bytes: a host of 253 characters, a port, a name. */
  lastServerBytes: 1024,
  /** Wrong passwords that a person may type, as many as the server allows on one link (PROTOCOL.md 5.3). */
  passwordAttempts: 3,
  /** The longest time that WAIT_FOR takes, milliseconds: 24 days, the most that a timer of Node counts in whole days. */
  longestWaitMs: 24 * 24 * 60 * 60 * SECOND,
  /** Messages and files that no WAIT_FOR has counted yet; the oldest is forgotten beyond that. */
  uncountedEvents: 1_000,
  /** While WAIT_FOR waits for somebody's presence, it asks again after this time, milliseconds. */
  waitLookMs: 5 * SECOND,
} as const;

/** When a terminal asks for attention; nothing here shows on the wire. */
export const attentionLimits = {
  /** Without a key for this long nobody is taken to be there, where the terminal does not tell, milliseconds: the time in which a chat goes on. */
  idleMs: 120 * SECOND,
  /** A terminal rings no more often, milliseconds: a flood of messages is one piece of news. */
  alertEveryMs: 3 * SECOND,
  /** Of a message in a notification, characters; a desktop shows less. */
  alertChars: 200,
  /** A message that was not confirmed after this long is shown as under way, milliseconds: a round trip around the world takes a third. */
  usualDeliveryMs: 1 * SECOND,
} as const;

/** The typed line, its history and its completion; nothing here shows on the wire. */
export const editingLimits = {
  /** The line while it is edited, bytes: as long as one on stdin, eight times what can be sent, so that a paste that is too long can be shortened. */
  lineBytes: terminalLimits.lineBytes,
  /** Steps that undo remembers. */
  undoSteps: 200,
  /** Typed characters that one undo takes back, as in bash. */
  undoneAtOnce: 20,
  /** Pieces that can be put back with Ctrl-Y, as in bash. */
  killedPieces: 10,
  /** Lines of history: a few weeks of chat, and read in a few milliseconds. */
  historyLines: 1_000,
  /** The file is made short again when it has this many lines… */
  historyFileLines: 2_000,
  /** …or bytes; of a longer one only the end is read. */
  historyFileBytes: 4 * MiB,
  /** One line in the file, bytes: what is longer was pasted, and is kept only while the program runs. */
  historyLineBytes: 4 * KiB,
  /** A file that shortens the history and is older than this was left by a program that was killed, milliseconds. */
  historyStaleMs: 60 * SECOND,
  /** Names looked at in one folder when a path is completed: more takes a noticeable time. */
  completionEntries: 20_000,
  /** Candidates listed above the prompt; more are counted. */
  completionsListed: 200,
  /** Keys wait for a completion this long at most, milliseconds: the server's answer from the other side of the world comes in half of it… */
  completionWaitMs: 1_000,
  /** …and so many of them: more than anybody types meanwhile, so that what comes faster is not kept without end. */
  heldKeys: 4_096,
  /** How long a list of who is online serves completion, milliseconds. */
  namesFreshMs: 5_000,
} as const;
