/**
 * The agents of packages/agents/examples, loaded through `AGENTS_DIR`: listed, validated, and run by chats and execute
 * jobs; and added by one more worker while the platform runs.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { ApiClient } from "../support/api-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { readDatabase } from "../support/platform-state.ts";
import { ROOT } from "../support/sources.ts";
import { shownText, thoughtsOf } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const EXAMPLES = { AGENTS_DIR: join(ROOT, "packages/agents/examples") };
const EXAMPLE_IDS = ["order_desk", "panel", "shout"];

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ env: EXAMPLES });
});
afterAll(() => platform.stop());

const idsAt = async (client: ApiClient): Promise<string[]> =>
  (await client.get("/agents")).body.agents.map(({ id }: { id: string }) => id);

test("agents of a plugin are listed with their schemas and tools", async () => {
  expect(await idsAt(platform.alice)).toEqual(expect.arrayContaining(["chat_basic", ...EXAMPLE_IDS]));
  expect((await platform.alice.get("/agents/shout")).body).toMatchObject({
    id: "shout",
    description: expect.any(String),
    workers: 1,
    tools: [],
    config_schema: { properties: { marks: { type: "integer", minimum: 1, maximum: 9, default: 1 } } },
  });
  expect((await platform.alice.get("/agents/order_desk")).body).toMatchObject({ tools: ["order_status"] });
});

test("an agent of 15 lines answers a chat and an execute job", async () => {
  const chat = await platform.alice.chat({ agent_type: "shout", message: "well done", config: { marks: 3 } });
  expect(shownText(await chat.all())).toBe("WELL DONE !!!");
  const jobId = await platform.alice.execute("well done", {}, "shout");
  expect((await platform.alice.ended(jobId)).result).toEqual({ content: "WELL DONE !" });
});

test("a config that does not fit an agent of a plugin is refused before anything is queued", async () => {
  const { status, body } = await platform.alice.post("/agents/shout/execute", { task: "hi", config: { marks: 10 } });
  expect([status, body.error.code, body.error.param]).toEqual([400, "invalid_request", "config.marks"]);
});

test("an agent with its own tool lets the model call it, in a chat and in an execute job", async () => {
  const message = '[[calls=order_status({"order":"A-1001"});order_status({"order":"B-7"})]] Where are they?';
  const chat = await platform.alice.chat({ agent_type: "order_desk", message });
  const events = await chat.all();
  expect(thoughtsOf(events, "tool_call")).toMatchObject([{ name: "order_status" }, { name: "order_status" }]);
  expect(
    thoughtsOf(events, "tool_result")
      .map(({ status }) => status)
      .sort(),
  ).toEqual(["error", "ok"]);
  expect(shownText(events)).toContain("arrives on Friday");
  expect(shownText(events)).toContain('There is no order "B-7"');

  const job = await platform.alice.ended(await platform.alice.execute(message, {}, "order_desk"));
  expect([job.status, job.result.content]).toEqual(["completed", expect.stringContaining("arrives on Friday")]);
  const calls = await platform.model.calls({ contains: "Where are they?" });
  expect(calls).toHaveLength(4);
});

test("an agent that delegates joins the answers of its children, and their usage is counted as its own", async () => {
  const message = "[[text=Well%20said.]] What do you think?";
  const chat = await platform.alice.chat({ agent_type: "panel", message });
  const events = await chat.all();
  expect(thoughtsOf(events, "delegate")).toEqual([
    { type: "delegate", content: "chat_basic, shout", agents: ["chat_basic", "shout"] },
  ]);
  const answers = `chat_basic: Well said.\nshout: ${message.toUpperCase()} !\n`;
  expect(shownText(events)).toBe(answers);

  const config = { agents: ["chat_basic", "shout", "nobody"] };
  const job = await platform.alice.ended(await platform.alice.execute(message, { config }, "panel"));
  expect(job).toMatchObject({ status: "completed", result: { content: `${answers}nobody: (no answer)\n` } });
  expect(job.usage.output_tokens).toBeGreaterThan(0);
  expect(events.at(-1)).toMatchObject({ event: "done", data: { status: "completed", usage: job.usage } });
});

test("a new worker adds the agents of its plugins to a running API, and only that worker runs them", async () => {
  const running = await startTestPlatform();
  onTestFinished(() => running.stop());
  const refused = await running.alice.post("/agents/shout/execute", { task: "too early" });
  expect([refused.status, refused.body.error.code]).toEqual([404, "agent_not_found"]);

  await running.startWorker(EXAMPLES);
  await waitFor(
    "the new agents",
    async () => {
      const ids = await idsAt(running.alice);
      return EXAMPLE_IDS.every((id) => ids.includes(id));
    },
    5_000,
  );
  expect((await running.alice.get("/agents/shout")).body.workers).toBe(1);
  expect((await running.alice.get("/agents/chat_basic")).body.workers).toBe(2);

  const tasks = Array.from({ length: 12 }, (_, at) => `task ${at}`);
  const jobIds = await Promise.all(tasks.map((task) => running.alice.execute(task, {}, "shout")));
  const jobs = await Promise.all(jobIds.map((jobId) => running.alice.ended(jobId)));
  expect(jobs.map(({ status, result }) => [status, result?.content])).toEqual(
    tasks.map((task) => ["completed", `${task.toUpperCase()} !`]),
  );
  const started = await readDatabase(running, (table) =>
    table("agent_logs").whereIn("id", jobIds).distinct("worker", "attempts"),
  );
  expect(started).toEqual([{ worker: "worker-2", attempts: 1 }]);
});
