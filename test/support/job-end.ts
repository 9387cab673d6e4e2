import { countTokens } from "@agent-paas/agents/model/tokens.ts";
import type { JobEnd } from "../../apps/worker/src/storage/job-repository.ts";

/** How a run ends whose agent answered with this text, with these fields changed. */
export const jobEnd = (content: string, fields: Partial<JobEnd> = {}): JobEnd => ({
  status: "completed",
  result: { content },
  resultTokens: countTokens(content),
  usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 },
  error: null,
  lastSeq: 1,
  executionMs: 1,
  ...fields,
});
