/** Bounds work that never pauses and whose length somebody else decides: it would hold up the whole process. */
import { createContext, Script } from "node:vm";
import { SECOND } from "@agent-paas/shared/time.ts";

const room = createContext({});
const door = new Script("work()");

export class TookTooLong extends Error {
  override readonly name = "TookTooLong";
}

/** Returns what `work` does. Throws `TookTooLong` after a while: it is stopped where it stands, without its `finally`. */
export function boundedWork<T>(work: () => T, withinMs: number): T {
  const done: T[] = [];
  room.work = () => {
    done.push(work());
  };
  try {
    door.runInContext(room, { timeout: withinMs });
    return done[0] as T;
  } catch (error) {
    // Of the other context, so an instance of no class of this one.
    const isLate = (error as { code?: unknown } | null)?.code === "ERR_SCRIPT_EXECUTION_TIMEOUT";
    throw isLate ? new TookTooLong(`it takes more than ${withinMs / SECOND} s`) : error;
  } finally {
    room.work = undefined;
  }
}
