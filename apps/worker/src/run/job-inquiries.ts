/** What the agents of one run ask people: those inquiries without a decision suspend the job when the run has ended. */
import { type Inquiries, Suspended } from "@agent-paas/agents/job/inquiries.ts";
import type { Journal } from "@agent-paas/agents/job/journal.ts";
import type { OpenInquiry } from "@agent-paas/shared/contract/inquiries.ts";
import type { SuspensionRepository } from "../storage/suspension-repository.ts";

export type JobInquiries = {
  /** Those that this run has asked without finding a decision. */
  open(): readonly OpenInquiry[];
  /** For the agent to which this part of the journal belongs. */
  within(part: Journal): Inquiries;
};

type Decided = Pick<SuspensionRepository, "decisions">;

/** @param resumed whether an earlier attempt may have asked. False saves reading the decisions. */
export function createJobInquiries(suspensions: Decided, jobId: string, resumed: boolean): JobInquiries {
  const open = new Map<string, OpenInquiry>();
  let known: ReturnType<Decided["decisions"]> | null = null;

  return {
    open: () => [...open.values()],
    within: (part) => ({
      async ask(inquiry) {
        // Never finished: the journal only names it, the same in every attempt. Begun before anything is awaited, so
        // that inquiries side by side are numbered in the order in which they are made.
        const entry = await part.begin({ kind: "inquiry", input: inquiry, idempotent: true });
        if (entry.state !== "new") throw new TypeError("an inquiry has been finished in the journal");
        known ??= resumed ? suspensions.decisions(jobId) : Promise.resolve(new Map());
        const decision = (await known).get(entry.id);
        if (decision !== undefined) return decision;
        open.set(entry.id, { ...inquiry, request_id: entry.id });
        throw new Suspended();
      },
    }),
  };
}
