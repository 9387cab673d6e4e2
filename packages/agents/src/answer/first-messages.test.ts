import { expect, test } from "vitest";
import type { HistoryMessage } from "../agent/agent.ts";
import { firstMessages } from "./first-messages.ts";

/** Role and text of what the model is asked after this history. */
async function asked(...history: [HistoryMessage["role"], string][]) {
  const latest = async () => history.map(([role, content]) => ({ role, content }));
  const input = { kind: "chat", text: "And now?", data: undefined, history: { latest } } as const;
  const messages = await firstMessages(input, { system_prompt: "Be brief.", history_tokens: 100 });
  return messages.map(({ role, content }) => `${role}: ${content}`);
}

test("the system prompt comes first, then the session's messages, then the message itself", async () => {
  expect(await asked(["user", "Hi"], ["assistant", "Hello"])).toEqual([
    ...["system: Be brief.", "user: Hi", "assistant: Hello", "user: And now?"],
  ]);
});

test("a message without an answer keeps a place for one, and is not asked together with the next", async () => {
  expect(await asked(["user", "Failed"], ["user", "Said nothing"], ["assistant", " "])).toEqual([
    ...["system: Be brief.", "user: Failed", "assistant: (no answer)", "user: Said nothing"],
    ...["assistant: (no answer)", "user: And now?"],
  ]);
});
