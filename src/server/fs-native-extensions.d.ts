/** The part of fs-native-extensions 1.5 that data-lock.ts uses; the package carries no types. */
declare module 'fs-native-extensions' {
  /** False when another open file holds the lock. */
  export function tryLock(fd: number): boolean;
}
