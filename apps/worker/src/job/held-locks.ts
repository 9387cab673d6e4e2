/**
 * BullMQ's locks of the jobs that this process works on. The thread beside the main one renews them, however busy the
 * main one is; every second it is told what has begun and ended, so jobs that end at once cost it nothing.
 */
import type { JobLock } from "./worker-locks.ts";

export type LockChanges = { readonly begun: readonly JobLock[]; readonly ended: readonly JobLock[] };

export type HeldLocks = ReturnType<typeof createHeldLocks>;

export function createHeldLocks() {
  const held = new Map<string, JobLock>();
  let told = new Map<string, JobLock>();

  return {
    /** The lock is held until `work` has settled. */
    async during<T>(lock: JobLock, work: () => Promise<T>): Promise<T> {
      const name = nameOf(lock);
      held.set(name, lock);
      try {
        return await work();
      } finally {
        // The job may have been taken again meanwhile, with another lock.
        if (held.get(name) === lock) held.delete(name);
      }
    },

    /** Whether this process works on the job with this very lock. */
    has: (lock: JobLock): boolean => held.get(nameOf(lock))?.token === lock.token,

    /** What has changed since the last call. */
    takeChanges(): LockChanges {
      const begun = [...held].filter(([name, lock]) => told.get(name) !== lock).map(([, lock]) => lock);
      const ended = [...told].filter(([name, lock]) => held.get(name) !== lock).map(([, lock]) => lock);
      if (begun.length > 0 || ended.length > 0) told = new Map(held);
      return { begun, ended };
    },

    /** The next changes are for somebody who knows of no lock. */
    tellAllAgain: () => told.clear(),
  };
}

/** A job has one lock, whoever has it. */
export const nameOf = ({ queue, jobId }: JobLock): string => `${queue}:${jobId}`;
