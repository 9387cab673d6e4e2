/** Tells the platform what a person decided. */
import { AgentPaasError, type Decisions, type Inquiry } from "@agent-paas/client";
import { client } from "../state/connection.ts";
import { notify, notifyError } from "../ui/notices.tsx";
import { texts } from "./texts.ts";

type Decision = Decisions[number];

/** What a kind of request is told: a decision without the id of the request. */
export type Decide = (decision: Omit<Decision, "request_id">) => void;

export type PartProps<Type extends Inquiry["type"]> = {
  readonly inquiry: Extract<Inquiry, { readonly type: Type }>;
  /** A decision is on its way. */
  readonly isBusy: boolean;
  readonly decide: Decide;
};

/**
 * Whether the request is off the table: decided now, or by somebody else before. Otherwise it may be tried again; the
 * person has been told either way.
 */
export async function decide(jobId: string, decision: Decision): Promise<boolean> {
  try {
    await client.peek().decide(jobId, [decision]);
    return true;
  } catch (error) {
    const conflict = conflictOf(error);
    if (conflict === null) notifyError(error);
    else notify(conflict, true);
    return conflict !== null;
  }
}

function conflictOf(error: unknown): string | null {
  switch (error instanceof AgentPaasError && error.code) {
    case "decision_conflict":
      return texts.decidedElsewhere;
    case "job_not_waiting":
    case "request_not_found":
    case "job_not_found":
      return texts.noLongerWaits;
    default:
      return null;
  }
}
