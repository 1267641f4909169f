/**
 * At most one log line for a connection that broke the rules, and not many of those in a second (HOSTILE 5): a flood must not
 * become a flood of log.
 */
import type { Clock } from '../net/clock.js';
import { serverLimits } from '../protocol/limits.js';
import type { Log } from './log.js';
import { fullBucket, takeToken, type Bucket, type BucketRule } from './token-bucket.js';

const LINES: BucketRule = { burst: serverLimits.misuseLogBurst, perSecond: serverLimits.misuseLogsPerSecond };

export class MisuseLog {
  readonly #log: Log;
  readonly #clock: Clock;
  #bucket: Bucket;
  #suppressed = 0;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
    this.#bucket = fullBucket(LINES, clock.now());
  }

  /** `address` appears only where the log is at debug. */
  write(reason: string, address: string): void {
    const { granted, bucket } = takeToken(LINES, this.#bucket, this.#clock.now());
    this.#bucket = bucket;
    if (!granted) {
      this.#suppressed += 1;
      return;
    }
    const suppressed = this.#suppressed;
    this.#suppressed = 0;
    this.#log.info({ reason, ...(suppressed === 0 ? {} : { suppressed }), ...(this.#log.isLevelEnabled('debug') ? { address } : {}) }, 'connection ended badly');
  }
}
