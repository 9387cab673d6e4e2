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

test("what comes beside a message of parts stands behind them", async () => {
  const image = { type: "image_url", image_url: { url: "https://example.com/a.png" } } as const;
  const history = { latest: async () => [] };
  const input = { kind: "execute", text: "Look", parts: [{ type: "text", text: "Look" }, image], history } as const;
  const [plain] = await firstMessages({ ...input, data: undefined }, { history_tokens: 0 });
  expect(plain).toEqual({ role: "user", content: "Look", parts: input.parts });
  const [informed] = await firstMessages({ ...input, data: { page: 2 } }, { history_tokens: 0 });
  const data = JSON.stringify({ page: 2 }, null, 2);
  const parts = [...input.parts, { type: "text", text: data }];
  expect(informed).toEqual({ role: "user", content: `Look\n\n${data}`, parts });
});

test("a message without an answer keeps a place for one, and is not asked together with the next", async () => {
  expect(await asked(["user", "Failed"], ["user", "Said nothing"], ["assistant", " "])).toEqual([
    ...["system: Be brief.", "user: Failed", "assistant: (no answer)", "user: Said nothing"],
    ...["assistant: (no answer)", "user: And now?"],
  ]);
});

test("a turn that the client has answered comes behind the history, whole, and a message behind it is asked", async () => {
  const latest = async () => [{ role: "user", content: "Failed" } as const];
  const continues = [
    { role: "user", content: "Look" },
    { role: "assistant", content: "", toolCalls: [{ id: "1", name: "look", arguments: "{}" }], reasoning: "Hm" },
    { role: "tool", callId: "1", content: "Seen" },
  ] as const;
  const input = { kind: "chat", data: undefined, history: { latest }, continues } as const;
  const options = { history_tokens: 0 };
  const gap = { role: "assistant", content: "(no answer)" };
  const whole = [{ role: "user", content: "Failed" }, gap, ...continues];
  expect(await firstMessages({ ...input, text: "" }, options)).toEqual(whole);
  const asking = await firstMessages({ ...input, text: "So?" }, options);
  expect(asking).toEqual([...whole, gap, { role: "user", content: "So?" }]);
  // The application's state, with which the client has sent the results.
  const informed = await firstMessages({ ...input, text: "", data: { page: 2 } }, options);
  expect(informed).toEqual([{ role: "system", content: JSON.stringify({ page: 2 }, null, 2) }, ...whole]);
  const both = await firstMessages({ ...input, text: "So?", data: 2 }, options);
  expect(both).toEqual([...whole, gap, { role: "user", content: "So?\n\n2" }]);
});
