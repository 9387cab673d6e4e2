/** A conversation remembers what its tools found: calls and results are messages of the session, within its budget. */
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

/** A token that only the tool's result holds: the product of the two numbers. */
const FOUND = "56088";
const CALL = { name: "calculator", arguments: '{"expression":"123*456"}' };

/** Ten turns of which the second calls a tool; returns what the model was asked in the eighth, and the session. */
async function converse(history_tokens: number): Promise<{ sessionId: string; asked: Json[] }> {
  let sessionId: string | undefined;
  let asked: Json[] = [];
  for (let no = 1; no <= 10; no++) {
    const directive = no === 2 ? `[[calls=${CALL.name}(${CALL.arguments}) text=Done]]` : "[[text=Noted]]";
    const message = `Turn ${no} of ${String(history_tokens).padStart(6, "0")} ${directive}`;
    const more = { agent_type: "tool_basic", session_id: sessionId, config: { history_tokens } };
    const { status, body } = await platform.alice.chatWhole(message, more);
    expect(status).toBe(200);
    sessionId = body.session_id;
    if (no !== 8) continue;
    const [call] = await platform.model.calls({ contains: message });
    asked = [...((await platform.model.call(call?.id ?? 0)).messages ?? [])];
  }
  return { sessionId: sessionId ?? "", asked };
}

/** Each call is followed by its result, and each result follows its call. */
function expectPairs(messages: Json[]): void {
  const called = messages.flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }: Json) => id));
  const answered = messages.filter(({ role }) => role === "tool").map(({ tool_call_id }) => tool_call_id);
  expect(answered).toEqual(called);
}

const rolesOf = (messages: Json[]) => messages.map(({ role }) => role[0]).join("");

test("the eighth turn has what a tool found in the second, if the budget has room for it", async () => {
  const { asked, sessionId } = await converse(8_000);
  expect(rolesOf(asked)).toBe(`uauata${"ua".repeat(5)}u`);
  expect(asked[3].tool_calls).toMatchObject([{ function: CALL }]);
  expect(asked[4].content).toContain(FOUND);
  expectPairs(asked);

  const path = `/chat/history?session_id=${sessionId}`;
  const plain = (await platform.alice.get(path)).body;
  expect(rolesOf(plain.messages)).toBe("ua".repeat(10));
  const whole = (await platform.alice.get(`${path}&include=tools`)).body;
  expect(rolesOf(whole.messages)).toBe(`uauta${"ua".repeat(8)}`);
  expect(whole.messages[3]).toMatchObject({
    role: "tool",
    content: expect.stringContaining(FOUND),
    metadata: { call_id: expect.any(String), ...CALL, turn: 1 },
  });
  const other = await platform.alice.get(`${path}&include=everything`);
  expect([other.status, other.body.error.param]).toEqual([400, "include"]);
});

test("a budget with room for the words of a turn and not for its calls leaves out calls and results together", async () => {
  const { sessionId, asked } = await converse(8_000);
  const { messages } = (await platform.alice.get(`/chat/history?session_id=${sessionId}&include=tools`)).body;
  const at = (no: number) => messages.findIndex(({ content }: Json) => content.startsWith(`Turn ${no} `));
  // One token too few for all from the second turn to the seventh.
  const needed = messages.slice(at(2), at(8)).reduce((sum: number, { tokens_used }: Json) => sum + tokens_used, 0);
  expect(asked).toHaveLength(at(8) + 2);
  const less = await converse(needed - 1);
  expect(rolesOf(less.asked)).toMatch(/^(ua){6,7}u$/);
  expect(less.asked.some(({ content }) => content.startsWith("Turn 2 "))).toBe(true);
});

test("a small budget leaves out whole turns", async () => {
  const { asked } = await converse(30);
  expect(rolesOf(asked)).toMatch(/^(ua){1,3}u$/);
  expectPairs(asked);
});

test("an agent without tools goes on in the session without the calls", async () => {
  const { sessionId } = await converse(8_000);
  const { status } = await platform.alice.chatWhole("[[text=Fine]] Without tools", { session_id: sessionId });
  expect(status).toBe(200);
  const [call] = await platform.model.calls({ contains: "Without tools" });
  expect(rolesOf([...((await platform.model.call(call?.id ?? 0)).messages ?? [])])).toBe(`${"ua".repeat(10)}u`);
});
