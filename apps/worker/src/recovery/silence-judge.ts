/**
 * Decides which workers are dead, from the heartbeats that one worker reads in Redis with each of its own.
 *
 * Their times are only compared for equality, and durations go by the monotonic clock of the one who looks, so no clock
 * that is set makes anybody look dead. A heartbeat is missed only if Redis was there to take it: a look succeeds only
 * with a heartbeat of one's own, and after a look that was slow, late or failed everybody has longer than the
 * connections take to come back.
 */
import { SECOND } from "@agent-paas/shared/time.ts";
import { GIVEN_UP } from "../presence/heartbeat-scripts.ts";
import type { Heartbeats } from "../presence/worker-presence.ts";

/** Three heartbeats of the thread and three of the main one. */
export const SILENT_MAX_MS = 3 * SECOND;
/** How much longer everybody has after an interruption. A connection tries again once a second. */
export const AFTER_INTERRUPTION_MS = 3 * SECOND;
/** From the start of one look to the end of the next, which follows after a second. */
const STEADY_WITHIN_MS = 2 * SECOND;

type Heard = { readonly beat: string; readonly since: number };

export function createSilenceJudge() {
  let known = new Map<string, Heard>();
  let lookedAt: number | null = null;
  let trustedFrom = Number.NEGATIVE_INFINITY;

  return {
    /** The ids of the dead. `askedAt` and `now`: the start and the end of this look, by the monotonic clock. */
    look(heartbeats: Heartbeats, askedAt: number, now: number): string[] {
      if (lookedAt !== null && now - lookedAt > STEADY_WITHIN_MS) trustedFrom = now + AFTER_INTERRUPTION_MS;
      lookedAt = askedAt;
      const before = known;
      known = new Map();
      const dead: string[] = [];
      for (const [id, beat] of heartbeats) {
        const last = before.get(id);
        const since = last?.beat === beat ? last.since : now;
        known.set(id, { beat, since });
        if (beat === GIVEN_UP || now - Math.max(since, trustedFrom) >= SILENT_MAX_MS) dead.push(id);
      }
      return dead;
    },
  };
}
