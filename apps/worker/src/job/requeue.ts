import { type Job, WaitingError } from "bullmq";

/** Gives a job back to its queue, unfinished, for another worker to take at once; no try is used up. Always throws. */
export async function requeue(job: Job, token: string): Promise<never> {
  await job.moveToWait(token);
  throw new WaitingError();
}
