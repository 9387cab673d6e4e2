/** Answers that stop before their end. To OpenAI's clients they are answers, whatever the job itself ended with. */
import type { JobError, JobStatus } from "@agent-paas/shared/contract/jobs.ts";
import { type Limits, reachedLimitOf } from "@agent-paas/shared/contract/limits.ts";

/** How a job has ended. */
export type Ending = {
  readonly status: JobStatus;
  readonly finishReason: string | null;
  readonly error: JobError | null;
};

/** What cut the answer short; null: nothing did, or the job has failed for another reason. */
export function cutReasonOf({ status, finishReason, error }: Ending): keyof Limits | "content_filter" | null {
  if (error?.code === "budget_exhausted") return reachedLimitOf(error.message);
  // The model has thought until it reached its limit.
  if (error?.code === "model_answer_empty" && finishReason === "length") return "max_output_tokens";
  if (status !== "completed") return null;
  if (finishReason === "content_filter") return finishReason;
  return finishReason === "length" ? "max_output_tokens" : null;
}
