/** What this worker has done since it was last asked, in numbers alone. A token costs an addition. */
import { bucketOf, type Sample } from "@agent-paas/shared/contract/samples.ts";
import { observe } from "@agent-paas/shared/telemetry/telemetry.ts";

export type WorkerCounts = Pick<Sample, "tokens" | "first_tokens" | "started" | "ended" | "failed">;

export type CountedJob = {
  /** ISO 8601. */
  readonly acceptedAt: string;
  readonly attempt: number;
};

export type WorkerCounters = ReturnType<typeof createWorkerCounters>;

/** @param now the installation's clock: it is compared with the time at which the API accepted a job. */
export function createWorkerCounters(now: () => number) {
  let tokens = 0;
  let firstTokens = new Map<number, number>();
  const jobs = { started: 0, ended: 0, failed: 0 };

  const unsubscribe = [
    observe("job.started", ({ attempt }) => {
      if (attempt === 1) jobs.started += 1;
    }),
    observe("job.ended", ({ status }) => {
      jobs.ended += 1;
      if (status === "failed") jobs.failed += 1;
    }),
  ];

  return {
    /** Receives the tokens of a job's models as they come. What is first in a later attempt is no first token. */
    tokensOf({ acceptedAt, attempt }: CountedJob): (count: number) => void {
      let isFirst = attempt === 1;
      return (count) => {
        tokens += count;
        if (!isFirst) return;
        isFirst = false;
        const bucket = bucketOf(now() - Date.parse(acceptedAt));
        firstTokens.set(bucket, (firstTokens.get(bucket) ?? 0) + 1);
      };
    },

    /** The counts since the last call. */
    take(): WorkerCounts {
      const taken = { tokens, first_tokens: [...firstTokens].flat(), ...jobs };
      tokens = 0;
      firstTokens = new Map();
      Object.assign(jobs, { started: 0, ended: 0, failed: 0 });
      return taken;
    },

    stop(): void {
      for (const each of unsubscribe) each();
    },
  };
}
