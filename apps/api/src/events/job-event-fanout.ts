/** The fan-out: what routes use to follow a job's events, or only its end. */
import { readBounds } from "@agent-paas/shared/contract/events.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { type FollowerDeps, type FollowOptions, JobEventFollower } from "./job-event-follower.ts";
import type { OpenResponses } from "./open-responses.ts";

export type JobEventFanout = ReturnType<typeof createJobEventFanout>;

export type AwaitEndOptions = {
  readonly jobId: string;
  readonly withinMs: number;
  /** Aborts when nobody waits any more. */
  readonly signal: AbortSignal;
  readonly findEnded: () => Promise<JobRow | null>;
};

export type FanoutDeps = FollowerDeps & { readonly openResponses: OpenResponses };

export function createJobEventFanout(deps: FanoutDeps) {
  const { subscriber, log, wheel, openResponses } = deps;
  return {
    follow: (options: FollowOptions): JobEventFollower => new JobEventFollower(deps, options),

    /** True when the job has ended, false when the time was up first, or the process stops. By I3 its row can be read then. */
    awaitEnd({ jobId, withinMs, signal, findEnded }: AwaitEndOptions): Promise<boolean> {
      return new Promise((resolve) => {
        const settle = (ended: boolean) => {
          clearTimeout(timer);
          signal.removeEventListener("abort", giveUp);
          unsubscribeFromWheel();
          forget();
          subscription.release();
          resolve(ended);
        };
        const giveUp = () => settle(false);
        const look = async () => {
          const last = await log.last(jobId).catch(() => null);
          // The log may be gone, or behind the database for a moment or, after a crash of Redis, for good.
          const told = last !== null && readBounds(last).terminal;
          if (told || (await findEnded().catch(() => null)) !== null) settle(true);
        };
        const lookQuietly = () => void look();
        const timer = setTimeout(giveUp, withinMs);
        signal.addEventListener("abort", giveUp, { once: true });
        const unsubscribeFromWheel = wheel.subscribe(lookQuietly);
        const forget = openResponses.add(giveUp);
        const subscription = subscriber.add(jobId, {
          onBatch: (_batch, { terminal }) => terminal && settle(true),
          onGap: lookQuietly,
        });
        subscription.confirmed.then(lookQuietly, () => {});
        if (signal.aborted) giveUp();
      });
    },
  };
}
