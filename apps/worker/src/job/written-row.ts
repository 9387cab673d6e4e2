/**
 * Resolves when the row of an attempt says that it runs. False: the job had ended, and its end is published. Rejects
 * with what the start throws. Unless it is true, the run is aborted.
 */
export type WrittenRow = Promise<boolean>;

/** Of an attempt that starts when its row is written. */
export const WRITTEN: WrittenRow = Promise.resolve(true);
