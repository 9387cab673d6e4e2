/**
 * The port to people (I11): what an agent or its tools ask is decided by a person, perhaps days later. The run that
 * asks ends; the attempt that follows the decision asks the same again and gets the answer, as it gets finished work
 * from the journal. So whatever comes before an inquiry must be repeatable: work through journal, model and tools.
 */
import type { Decision, Inquiry } from "@agent-paas/shared/contract/inquiries.ts";

export type Inquiries = {
  /** Rejects with `Suspended` while there is no decision. */
  ask(inquiry: Inquiry): Promise<Decision>;
};

/** Ends a run that waits for a person. Agents that catch errors let it pass. */
export class Suspended extends Error {
  override readonly name = "Suspended";
  constructor() {
    super("the job waits for a person");
  }
}
