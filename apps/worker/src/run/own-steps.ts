/** Ports of the agent's context whose use is a step of the job's timeline. */
import { type Steps, statusOfFailure } from "@agent-paas/agents/job/steps.ts";
import { type ReportedUsage, readReportedUsage, type UsageReport } from "@agent-paas/agents/model/reported-usage.ts";
import type { Retriever } from "@agent-paas/agents/retrieval/retriever.ts";

export const retrieverWithin = (steps: Steps, retriever: Retriever): Retriever => ({
  async search(request, signal) {
    const step = steps.begin({ kind: "retrieval", name: request.collection });
    try {
      const found = await retriever.search(request, signal);
      step.end("completed");
      return found;
    } catch (error) {
      step.end(statusOfFailure(signal));
      throw error;
    }
  },
});

/** Of such a turn nothing but its end is known. */
export const reportWithin =
  (steps: Steps, report: UsageReport["report"]): UsageReport["report"] =>
  (reported: ReportedUsage) => {
    const usage = readReportedUsage(reported);
    steps.begin({ kind: "model", name: reported.model ?? "model" }).end("completed", { usage });
    report(reported);
  };
