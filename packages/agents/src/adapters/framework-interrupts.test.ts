import type { Decision, Inquiry } from "@agent-paas/shared/contract/inquiries.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import { type AgentContext, type AgentInput, BaseAgent } from "../agent/agent.ts";
import { text } from "../agent/events.ts";
import { createJournalStore } from "../testing/memory-journal.ts";
import { runAgent } from "../testing/run-agent.ts";
import { createInterruptLog } from "./framework-interrupts.ts";

const QUESTION = { question: "How old are you?" };

test("like questions of one run keep their answers in every attempt", async () => {
  /** What the framework has saved: the answers with which it went on. */
  const saved: unknown[] = [];
  class Form extends BaseAgent {
    static readonly description = "Of a test.";
    static readonly config = z.strictObject({});
    async *run(_input: AgentInput, context: AgentContext<unknown>) {
      const log = createInterruptLog(context);
      await log.askAgain();
      while (saved.length < 3) {
        const [reply] = await log.ask([QUESTION]);
        saved.push(reply?.answered ? reply.answer : null);
      }
      yield text(saved.join(", "));
    }
  }
  const store = createJournalStore();
  let answers = 0;
  const given = new Map<number, Decision>();
  /** The n-th like question of an attempt has the n-th answer, once there is one. */
  const attempt = () => {
    let asked = 0;
    const decide = (_: Inquiry) => given.get(++asked) ?? null;
    return runAgent(Form, "Go", { store, decide });
  };
  for (; answers < 3; given.set(++answers, { decision: "answer", answer: answers })) {
    await expect(attempt()).rejects.toMatchObject({ name: "Suspended" });
  }
  expect((await attempt()).content).toBe("1, 2, 3");
});
