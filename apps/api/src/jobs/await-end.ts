/** Waits for the end of a job without reading its events. */
import { readBounds } from "@agent-paas/shared/contract/events.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { createLossWatch } from "../events/loss-watch.ts";
import type { EventServices } from "../services.ts";

export type AwaitJobEndOptions = {
  readonly jobId: string;
  readonly withinMs: number;
  /** Aborts when the client has left. */
  readonly signal: AbortSignal;
  readonly findEnded: () => Promise<JobRow | null>;
  /** Whether a queue or the database knows the job. */
  readonly isKnown: () => Promise<boolean>;
};

/**
 * True when the job has ended; by I3 its row can be read then. False when the time is up or the client has left first,
 * when this process stops, or when the job is lost.
 */
export function awaitJobEnd(
  { events }: { readonly events: Omit<EventServices, "sendWindows"> },
  { jobId, withinMs, signal, findEnded, isKnown }: AwaitJobEndOptions,
): Promise<boolean> {
  const { subscriber, log, wheel, openResponses } = events;
  const lossWatch = createLossWatch(isKnown);
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
    const checkOften = async () => {
      await check();
      if (await lossWatch.isLost()) giveUp();
    };
    const timer = setTimeout(giveUp, withinMs);
    signal.addEventListener("abort", giveUp, { once: true });
    const unsubscribeFromWheel = wheel.subscribe(() => void checkOften());
    const removeOpenResponse = openResponses.add(giveUp);
    const subscription = subscriber.add(jobId, {
      onBatch: (_batch, { terminal }) => terminal && settle(true),
      onGap: checkInBackground,
    });
    subscription.confirmed.then(checkInBackground, () => {});
    if (signal.aborted) giveUp();
  });
}
