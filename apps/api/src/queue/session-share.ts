/**
 * How many sessions one owner may have. Their rows are counted, now and then: the more room is left, the longer a count
 * is used, together with what this process has begun since. Other processes may begin some as well, so the limit may be
 * exceeded by what begins between two counts.
 */
import { MINUTE } from "@agent-paas/shared/time.ts";

/** A count is not used for longer; sessions end by requests and by retention. */
const COUNT_AGAIN_AFTER_MS = MINUTE;
/** Nor after this share of the room that it found was used. */
const ROOM_PER_COUNT = 0.1;
/** An owner at the limit who goes on asking has the rows counted again only so often. */
const COUNT_AT_MOST_EVERY_MS = 1_000;

type Count = { readonly sessions: number; readonly at: number; begun: number };

export function createSessionShare(count: (owner: string) => Promise<number>, maxSessions: number) {
  /** As many as there are keys. */
  const counts = new Map<string, Count>();
  const counting = new Map<string, Promise<Count>>();

  const isUsedUp = ({ sessions, begun }: Count): boolean => sessions + begun >= maxSessions;

  const isUsable = (known: Count): boolean => {
    const ageMs = performance.now() - known.at;
    if (ageMs < COUNT_AT_MOST_EVERY_MS) return true;
    const room = maxSessions - known.sessions;
    return !isUsedUp(known) && ageMs < COUNT_AGAIN_AFTER_MS && known.begun < room * ROOM_PER_COUNT;
  };

  async function countAgain(owner: string): Promise<Count> {
    // A database that cannot be read is no reason to refuse: the job says so when it runs.
    const sessions = await count(owner).catch(() => 0);
    const counted = { sessions, at: performance.now(), begun: 0 };
    counts.set(owner, counted);
    counting.delete(owner);
    return counted;
  }

  function recount(owner: string): Promise<Count> {
    const running = counting.get(owner) ?? countAgain(owner);
    counting.set(owner, running);
    return running;
  }

  return {
    /** Whether the owner has as many sessions as one may have; false counts one as begun. */
    async isUsedUp(owner: string): Promise<boolean> {
      const known = counts.get(owner);
      const count = known !== undefined && isUsable(known) ? known : await recount(owner);
      if (isUsedUp(count)) return true;
      count.begun += 1;
      return false;
    },
  };
}
