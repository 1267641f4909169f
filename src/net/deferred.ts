/** A promise with its ends in hand, until Node's floor has `Promise.withResolvers` (22). */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(error: Error): void;
}

/** `quiet`: a rejection that nobody waits for is no bug, since it is reported elsewhere as well. */
export function deferred<T>({ quiet = false }: { quiet?: boolean } = {}): Deferred<T> {
  let resolve: (value: T) => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  if (quiet) promise.catch(() => undefined);
  return { promise, resolve, reject };
}
