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

export type InterruptLog = {
  /** As `askAll`. */
  ask(questions: readonly Question[]): Promise<Reply[]>;
  /** Asks what earlier attempts have had answered, as far as the framework does not ask for it again. */
  askAgain(): Promise<void>;
};

/**
 * For a framework that goes on from what it has saved, and so asks only once. Like questions are told apart by the
 * order in which an attempt asks them, so each attempt has to ask them all.
 */
export function createInterruptLog(context: AgentContext<unknown>): InterruptLog {
  let answered = 0;
  const begin = () => context.journal.begin({ kind: "interrupts", input: answered, idempotent: true });
  let next: ReturnType<typeof begin> | null = null;
  return {
    async ask(questions) {
      const replies = await askAll(context, questions);
      const entry = await (next ?? begin());
      if (entry.state === "new") await entry.finish(questions);
      answered += 1;
      next = null;
      return replies;
    },
    async askAgain() {
      for (;;) {
        next = begin();
        const entry = await next;
        if (entry.state !== "finished") return;
        answered += 1;
        await askAll(context, entry.value as readonly Question[]);
      }
    },
  };
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
