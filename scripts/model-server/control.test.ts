/** The control routes: queued scripts, the call log, and the detection of clients that disconnect. */
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { CallLog } from "./call-log.ts";
import { startModelServer } from "./server.ts";
import { callsOf, eventually, readUntil, startTestModel, type TestModel } from "./test-model.ts";

let model: TestModel;
beforeAll(async () => {
  model = await startTestModel();
  return () => model.server.stop();
});
beforeEach(() => model.control.clear());

async function answer(content: string): Promise<string | null | undefined> {
  return (await model.complete(content)).choices[0]?.message.content;
}

describe("scripts", () => {
  test("scripts answer matching requests in order, before directives, until they are used up", async () => {
    await model.control.script({ match: "weather", steps: [{ text: "sun" }, { text: "rain" }] });
    expect(await answer("the weather [[text=fog]]")).toBe("sun");
    expect(await answer("something else")).toContain("something else");
    expect((await model.control.stats()).steps_waiting).toBe(1);
    expect(await answer("weather again")).toBe("rain");
    expect(await answer("the weather [[text=fog]]")).toBe("fog");
  });

  test("a script without match answers every request and can be removed", async () => {
    await model.control.script({ steps: [{ text: "first" }, { text: "second" }] });
    expect(await answer("hi")).toBe("first");
    await model.control.clear();
    expect(await answer("hi")).toContain("You said");
  });

  test("scripts can contain faults, and tool calls with text before them", async () => {
    await model.control.script({
      steps: [
        { fault: 503, retry_after: 1 },
        {
          text: "Let me see.",
          tool_calls: [
            { name: "f", arguments: { x: "好" } },
            { name: "g", arguments: "{broken" },
          ],
        },
      ],
    });
    const refused = await model.post("hi");
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
    const { choices } = await model.complete("hi", { tools: [{ type: "function", function: { name: "f" } }] });
    expect(choices[0]?.message.content).toBe("Let me see.");
    expect(callsOf(choices[0]?.message)).toMatchObject([
      { name: "f", json: '{"x":"好"}' },
      { name: "g", json: "{broken" },
    ]);
  });

  test("an invalid script is refused with a 400 that names the field", async () => {
    const wrong = { steps: [{ text: "a", token: 3 }] };
    await expect(model.control.script(wrong)).rejects.toThrow(/400.*token/);
  });
});

describe("the call log", () => {
  test("the call log records the request of a call and how it ended", async () => {
    const fields = { temperature: 0.5, max_tokens: 4, tools: [{ type: "function", function: { name: "f" } }] };
    await model.post("logged [[tokens=9]]", fields);
    const [call] = await model.control.calls({ contains: "logged" });
    expect(call).toMatchObject({
      model: "local",
      last_user: "logged [[tokens=9]]",
      messages_count: 1,
      temperature: 0.5,
      max_tokens: 4,
      tools: ["f"],
      stream: false,
      fault: null,
      tokens_sent: 4,
      ended: "done",
    });
    expect(call?.first_token_at_ms).toBeGreaterThanOrEqual(call?.at_ms ?? Infinity);
    expect(call?.ended_at_ms).toBeGreaterThanOrEqual(call?.first_token_at_ms ?? Infinity);
    expect(await model.control.calls({ contains: "not asked" })).toEqual([]);
  });

  test("the call log keeps the messages of a call", async () => {
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: "one" },
      { role: "assistant", content: "1" },
      { role: "user", content: "two" },
    ];
    const { id } = await model.complete("", { messages });
    expect((await model.control.call(Number(id.replace("chatcmpl-", "")))).messages).toEqual(messages);
    await expect(model.control.call(999_999)).rejects.toThrow(/404/);
  });

  test("the call log finds a question behind a long context and shows 200 characters of it", async () => {
    await model.post(`${"context ".repeat(1000)} needle`);
    const [call] = await model.control.calls({ contains: "needle" });
    expect(call?.last_user).toHaveLength(201);
  });

  test("the call log keeps 20,000 calls and the messages of the last 200", () => {
    const log = new CallLog();
    const request = { model: "m", messages: [{ role: "user" as const, content: "x" }] };
    for (let count = 0; count < 20_100; count++) log.end(log.open(request, undefined), "done");
    const calls = log.list();
    expect([calls.length, calls[0]?.id, calls.at(-1)?.id]).toEqual([20_000, 101, 20_100]);
    expect([log.details(100), log.details(19_900)?.messages]).toEqual([undefined, null]);
    expect(log.details(19_901)?.messages).toHaveLength(1);
    expect(log.stats()).toMatchObject({ open_streams: 0, total_calls: 20_100 });
  });
});

describe("disconnects", () => {
  test.each([true, false])("the answer to a client that disconnects stops (stream: %s)", async (stream) => {
    const leave = new AbortController();
    const response = model.post("[[tokens=100000 rate=500]]", { stream }, leave.signal);
    await eventually(async () => (await model.control.calls())[0]?.tokens_sent).toBeGreaterThan(2);
    if (stream) await readUntil(await response, (text) => text.length > 0);
    leave.abort();
    await response.catch(() => undefined);
    await eventually(async () => (await model.control.calls())[0]?.ended).toBe("client_closed");
    const { tokens_sent, open_streams } = await model.control.stats();
    expect(open_streams).toBe(0);
    expect((await model.control.stats()).tokens_sent).toBe(tokens_sent);
  });

  test("open streams are counted until their clients disconnect", async () => {
    const leave = new AbortController();
    const open = Array.from({ length: 50 }, () => model.post("[[fault=silence]]", { stream: true }, leave.signal));
    await Promise.all(open);
    expect(await model.control.stats()).toMatchObject({ open_streams: 50, peak_open_streams: 50, total_calls: 50 });
    leave.abort();
    await eventually(async () => (await model.control.stats()).open_streams).toBe(0);
  });
});

test("a model server without control routes shows nobody what it was asked, and counts all the same", async () => {
  const server = await startModelServer({ control: false });
  const ask = (method: string, path: string, body?: object) =>
    fetch(`${server.origin}${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
  const messages = [{ role: "user", content: "[[text=yes]] A secret" }];
  expect((await ask("POST", "/v1/chat/completions", { model: "local", messages })).status).toBe(200);
  const routes = ["GET /control/calls", "GET /control/calls/1", "GET /control/stats", "POST /control/script"];
  const answers = await Promise.all(routes.map((route) => ask(...(route.split(" ") as [string, string]))));
  expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
  expect((await Promise.all(answers.map((each) => each.text()))).join("")).not.toContain("secret");
  await server.stop();

  const log = new CallLog({ keepsCalls: false });
  const request = { model: "local", messages: [{ role: "user" as const, content: "A secret" }] };
  const call = log.open(request, undefined);
  expect([log.list(), log.details(call.id), log.stats().total_calls]).toEqual([[], undefined, 1]);
});
