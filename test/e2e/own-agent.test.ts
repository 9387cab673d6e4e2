/** The agent of the README, put in by `AGENTS_DIR`: listed, validated, and served to chats and execute jobs alike. */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { ROOT } from "../support/sources.ts";
import { shownText } from "../support/sse-client.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { AGENTS_DIR: join(ROOT, "packages/agents/examples") } });
});
afterAll(() => platform.stop());

test("it is listed with its schema", async () => {
  const { body } = await platform.alice.get("/agents");
  expect(body.agents.map(({ id }: { id: string }) => id).sort()).toEqual(["chat_basic", "shout"]);
  expect((await platform.alice.get("/agents/shout")).body).toMatchObject({
    id: "shout",
    description: "Repeats what it is told, louder.",
    workers: 1,
    config_schema: { properties: { marks: { type: "integer", minimum: 1, maximum: 9, default: 1 } } },
  });
});

test("it answers a chat and an execute job", async () => {
  const chat = await platform.alice.chat({ agent_type: "shout", message: "well done", config: { marks: 3 } });
  expect(shownText(await chat.all())).toBe("WELL DONE !!!");
  const jobId = await platform.alice.execute("well done", {}, "shout");
  expect((await platform.alice.ended(jobId)).result).toEqual({ content: "WELL DONE !" });
});

test("its config is checked before anything is queued", async () => {
  const { status, body } = await platform.alice.post("/agents/shout/execute", { task: "hi", config: { marks: 10 } });
  expect([status, body.error.code, body.error.param]).toEqual([400, "invalid_request", "config.marks"]);
});
