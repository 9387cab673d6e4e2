/** Waits for the end of a job without reading its events. */
import { readBounds } from "@agent-paas/shared/contract/events.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import type { Services } from "../services.ts";

export type AwaitJobEndOptions = {
  readonly jobId: string;
  readonly withinMs: number;
  /** Aborts when the client has left. */
  readonly signal: AbortSignal;
  readonly findEnded: () => Promise<JobRow | null>;
};

/**
 * True when the job has ended; by I3 its row can be read then. False when the time is up or the client has left first,
 * or when this process stops.
 */
export function awaitJobEnd(
  { events }: Pick<Services, "events">,
  { jobId, withinMs, signal, findEnded }: AwaitJobEndOptions,
): Promise<boolean> {
  const { subscriber, log, wheel, openResponses } = events;
  return new Promise((resolve) => {
    const settle = (ended: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", giveUp);
      unsubscribeFromWheel();
      removeOpenResponse();
      subscription.release();
      resolve(ended);
    };
    const giveUp = () => settle(false);
    const check = async () => {
      const last = await log.last(jobId).catch(() => null);
      const isPublished = last !== null && readBounds(last).terminal;
      // The log may have expired, or lag behind the database: for a moment, or for good after a crash of Redis.
      if (isPublished || (await findEnded().catch(() => null)) !== null) settle(true);
    };
    const checkInBackground = () => void check();
    const timer = setTimeout(giveUp, withinMs);
    signal.addEventListener("abort", giveUp, { once: true });
    const unsubscribeFromWheel = wheel.subscribe(checkInBackground);
    const removeOpenResponse = openResponses.add(giveUp);
    const subscription = subscriber.add(jobId, {
      onBatch: (_batch, { terminal }) => terminal && settle(true),
      onGap: checkInBackground,
    });
    subscription.confirmed.then(checkInBackground, () => {});
    if (signal.aborted) giveUp();
  });
}
