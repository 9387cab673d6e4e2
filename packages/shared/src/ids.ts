import { randomFillSync, randomInt } from "node:crypto";
import { v5, v7 } from "uuid";
import { z } from "zod";

/** When an id of this form was created, ms since 1970. */
export const idTime = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);

/** A clock may be set right by less than this without ids following it back, ms. */
const LARGEST_CORRECTION_MS = 1_000;
const LARGEST_SEQ = 2 ** 31;

/**
 * Ids whose time of creation is that of a given clock. Where ids of several processes are compared, or the age of one
 * is read from it, they must come from one clock. Ids of one source rise, except when its clock is set back by more
 * than a small correction.
 */
export function createIdSource(now: () => number): () => string {
  let msecs = Number.NEGATIVE_INFINITY;
  let seq = 0;
  return () => {
    const at = Math.floor(now());
    if (at > msecs || at < msecs - LARGEST_CORRECTION_MS) {
      msecs = at;
      seq = randomInt(LARGEST_SEQ);
    } else {
      seq += 1;
    }
    return v7({ msecs, seq, random: nextRandom() });
  };
}

const RANDOM_BYTES_PER_ID = 16;

/** Random bytes for the next ids: a call of the system's generator costs more than an id. */
const pool = new Uint8Array(256 * RANDOM_BYTES_PER_ID);
let used = pool.length;

function nextRandom(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += RANDOM_BYTES_PER_ID;
  return pool.subarray(used - RANDOM_BYTES_PER_ID, used);
}

let latest = 0;

function latestTime(): number {
  latest = Math.max(latest, Date.now());
  return latest;
}

/**
 * Creates an id: a UUIDv7. The ids of this process rise, also when its clock is set back: what came later is told by
 * them, and database indexes stay compact.
 */
export const newId = createIdSource(latestTime);

/** An id that is the same whenever it is asked for: of something by its name within what has the id `within`. */
export const idOf = (within: string, name: string): string => v5(name, within);

/** Every id on the wire is a UUID of any version, in its canonical text form: that of a client may have capitals. */
export const IdSchema = z.uuid().toLowerCase();

/** Chosen once: other ids would lead to other sessions. */
const NAMES = "6f1d0f0c-5a0b-4d0e-9c5e-0d9b7a1c3e52";

/** The id of what a client calls by a name of its own. No two owners share one. */
export const namedId = (owner: string, name: string): string => v5(JSON.stringify([owner, name]), NAMES);
