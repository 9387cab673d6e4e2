/** Waiting for the end of a job. */
import { sleep } from "./retries.ts";
import type { CallOptions, Transport } from "./transport.ts";
import type { Job } from "./wire/answers.ts";

export type WaitOptions = CallOptions & {
  /** How long to wait, seconds; then the job is returned as it is. Default: until it has ended. */
  readonly seconds?: number | undefined;
};

/** What the platform holds a request at most, s. */
const LONGEST_WAIT_S = 50;
/** What passes between two requests at least, ms: a platform may hold them for less. */
const POLL_MS = 1_000;

const ENDED: ReadonlySet<string> = new Set(["completed", "failed", "cancelled"]);

export async function awaitJob(
  transport: Transport,
  jobId: string,
  { seconds = Number.POSITIVE_INFINITY, signal }: WaitOptions,
): Promise<Job> {
  const giveUpAt = performance.now() + seconds * 1_000;
  for (;;) {
    const askedAt = performance.now();
    const wait = Math.max(0, Math.min(LONGEST_WAIT_S, (giveUpAt - askedAt) / 1_000));
    const heldMs = wait * 1_000;
    const job = await transport.json<Job>("GET", `/jobs/${jobId}`, { query: { wait }, heldMs, signal });
    const now = performance.now();
    if (ENDED.has(job.status) || now >= giveUpAt) return job;
    await sleep(Math.min(POLL_MS - (now - askedAt), giveUpAt - now), signal);
  }
}
