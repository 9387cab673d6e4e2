/**
 * What a framework's run wants a person to decide before it goes on. The job waits for the decision; the attempt that
 * follows asks the same, gets it, and resumes the framework's run.
 */
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { AgentContext } from "../agent/agent.ts";

export type Interrupt = {
  /** For people: what is to be decided. */
  readonly question: string;
  /** JSON Schema of the answer. Default: every JSON value fits. */
  readonly schema?: Readonly<Record<string, unknown>>;
};

export type Reply =
  | { readonly answered: true; readonly answer: unknown }
  /** Declined by a person, or by nobody in time. */
  | { readonly answered: false; readonly reason: string | null };

/** A context by which an agent can ask people. */
type Asking = { readonly ask?: (interrupt: Interrupt) => Promise<Reply> };

/**
 * Asks for all of them at once; returns the replies in their order. Rejects as `context.ask` does while one of them has
 * no reply. Where nobody can be asked, the job fails with the question.
 */
export async function askAll(context: AgentContext<unknown>, interrupts: readonly Interrupt[]): Promise<Reply[]> {
  const { ask = refuse } = context as Asking;
  const replies = await Promise.allSettled(interrupts.map(ask));
  return replies.map((reply) => {
    if (reply.status === "rejected") throw reply.reason;
    return reply.value;
  });
}

async function refuse({ question }: Interrupt): Promise<never> {
  throw new PlatformError("agent_failed", { message: `The agent waits for a decision: ${question}` });
}

export type Approval = { readonly approved: boolean; readonly reason: string | undefined };

/** The question whether a call may be made. */
export function approvalOf(name: unknown, args: unknown, locale: Locale): Interrupt {
  const call = `${name}(${typeof args === "string" ? args : JSON.stringify(args)})`;
  return { question: APPROVE[locale](call), schema: APPROVAL_SCHEMA };
}

export function readApproval(reply: Reply): Approval {
  if (!reply.answered) return { approved: false, reason: reply.reason ?? undefined };
  const { approve, reason } = (reply.answer ?? {}) as { readonly approve?: unknown; readonly reason?: string };
  return { approved: approve === true, reason };
}

const APPROVAL_SCHEMA = {
  type: "object",
  properties: { approve: { type: "boolean" }, reason: { type: "string" } },
  required: ["approve"],
} as const;

const APPROVE: Readonly<Record<Locale, (call: string) => string>> = {
  zh: (call) => `是否允许调用 ${call}？`,
  en: (call) => `May this call be made? ${call}`,
};
