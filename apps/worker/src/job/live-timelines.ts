/**
 * The timelines of the jobs that this worker runs. Redis has them beside the jobs' states, for readers and for the
 * attempts that follow: some time after a change, so a short job is never written there, and a token costs nothing.
 */
import {
  type AttemptOutcome,
  fullerTimeline,
  parseTimeline,
  type Timeline,
} from "@agent-paas/shared/contract/timeline.ts";
import type { InstallationClock } from "@agent-paas/shared/redis/clock.ts";
import type { RedisConnection } from "@agent-paas/shared/redis/connect.ts";
import type { RedisKeys } from "@agent-paas/shared/redis/keys.ts";
import { defineScript } from "@agent-paas/shared/redis/script.ts";
import { createJobTimeline, type JobTimeline } from "../run/job-timeline.ts";

const WRITE_AFTER_MS = 500;

/** Writes the timeline of the run that has the job; of a job that has ended, its row has it. */
const NOTE_TIMELINE_SCRIPT = defineScript<null>()({
  name: "noteTimeline",
  keys: ["state"],
  args: ["token", "timeline"],
  lua: `
local known = redis.call('HMGET', state, 'fencing_token', 'ended')
if known[1] == token and not known[2] then redis.call('HSET', state, 'timeline', timeline) end
return false
`,
});

export type AttemptTimeline = {
  readonly steps: JobTimeline["steps"];
  /** Returns the JSON for the job's row. The last call counts. */
  end(outcome: AttemptOutcome): string;
  /** For a job that goes on: Redis has it when this resolves, unless Redis is away. */
  leave(outcome: AttemptOutcome): Promise<void>;
  /** Nothing more is written. */
  close(): void;
};

export type BegunAttempt = {
  readonly jobId: string;
  readonly fencingToken: number;
  /** From 1. */
  readonly attempt: number;
  /** What earlier attempts left. Default: nothing. */
  readonly earlier?: Timeline | null;
};

export type LiveTimelines = ReturnType<typeof createLiveTimelines>;

export type LiveTimelinesOptions = {
  readonly redis: RedisConnection;
  readonly keys: RedisKeys;
  /** The name of this worker. */
  readonly worker: string;
  readonly clock: Pick<InstallationClock, "now">;
};

export function createLiveTimelines({ redis, keys, worker, clock: { now } }: LiveTimelinesOptions) {
  const note = NOTE_TIMELINE_SCRIPT.on(redis);
  const changed = new Set<() => Promise<unknown>>();
  let timer: NodeJS.Timeout | null = null;

  function writeChanged(): void {
    timer = null;
    // What Redis did not take is written with the next change.
    for (const write of changed) void write();
    changed.clear();
  }

  /** Null also while Redis is away: it is no reason to hold a job up. */
  async function read(jobId: string): Promise<Timeline | null> {
    return parseTimeline(await redis.hget(keys.jobState(jobId), "timeline").catch(() => null));
  }

  return {
    begin({ jobId, fencingToken: token, attempt, earlier = null }: BegunAttempt): AttemptTimeline {
      let isClosed = false;
      const timeline = createJobTimeline({ earlier, attempted: attempt - 1, now, onChange });
      const write = () => note({ state: keys.jobState(jobId), token, timeline: timeline.encode() }).catch(() => {});

      function onChange(): void {
        if (isClosed) return;
        changed.add(write);
        timer ??= setTimeout(writeChanged, WRITE_AFTER_MS);
      }

      function close(): void {
        isClosed = true;
        changed.delete(write);
      }

      timeline.beginAttempt(attempt, worker);
      return {
        steps: timeline.steps,
        end(outcome) {
          timeline.endAttempt(outcome);
          return timeline.encode();
        },
        async leave(outcome) {
          timeline.endAttempt(outcome);
          close();
          await write();
        },
        close,
      };
    },

    read,

    /**
     * JSON of what the attempts of a job left that no worker runs any more; null if that is not known.
     * @param inRow the timeline that the job's row has
     */
    async left(jobId: string, attempted: number, inRow: string | null): Promise<string | null> {
      const earlier = fullerTimeline(await read(jobId), parseTimeline(inRow));
      return earlier === null ? null : createJobTimeline({ earlier, attempted, now }).encode();
    },

    stop(): void {
      if (timer !== null) clearTimeout(timer);
      changed.clear();
    },
  };
}

/** JSON of the timeline of a job that was never attempted. */
export const NO_TIMELINE: string = JSON.stringify({ attempts: [], steps: [], truncated: false } satisfies Timeline);
