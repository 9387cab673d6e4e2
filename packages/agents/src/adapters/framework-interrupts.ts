/**
 * What a framework's run wants a person to decide before it goes on. The job waits for the decision; the attempt that
 * follows asks the same, gets it, and resumes the framework's run.
 */
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import type { AgentContext } from "../agent/agent.ts";
import type { Question, Reply } from "../agent/ask.ts";

/** Asks for all of them at once; returns the replies in their order. Rejects while one of them has none. */
export async function askAll({ ask }: AgentContext<unknown>, questions: readonly Question[]): Promise<Reply[]> {
  const replies = await Promise.allSettled(questions.map((question) => ask(question)));
  return replies.map((reply) => {
    if (reply.status === "rejected") throw reply.reason;
    return reply.value;
  });
}

export type Approval = { readonly approved: boolean; readonly reason: string | undefined };

/** The question whether a call may be made. */
export function approvalOf(name: unknown, args: unknown, locale: Locale): Question {
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
