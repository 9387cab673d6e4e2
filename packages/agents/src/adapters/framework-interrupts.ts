/** What a framework's run wants a person to decide before it goes on. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

export type Interrupt = {
  /** The framework's id of it. */
  readonly id: string;
  /** For people: the call to approve, or what the graph asks. */
  readonly question: string;
};

/** Fails the job by name: an answer without what was asked for would look complete. */
export function assertNoInterrupts(interrupts: readonly Interrupt[]): void {
  const [first] = interrupts;
  if (first === undefined) return;
  throw new PlatformError("agent_failed", { message: `The agent waits for a decision: ${first.question}` });
}

export const approvalOf = (id: unknown, name: unknown, args: unknown): Interrupt => ({
  id: String(id),
  question: `${name}(${typeof args === "string" ? args : JSON.stringify(args)})`,
});
