/** What users ask. */
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";

export type Question = Extract<GivenMessage, { role: "user" }>;

/** Neighbours are one question, which is what they become for every model. */
export function joinQuestions(first: Question, second: Question): Question {
  const content = [first.content, second.content].filter((text) => text !== "").join("\n\n");
  if (first.parts === undefined && second.parts === undefined) return { role: "user", content };
  const parts = [first, second].flatMap((each) => each.parts ?? [{ type: "text" as const, text: each.content }]);
  return { role: "user", content, parts };
}
