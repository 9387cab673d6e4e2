/**
 * Workers die while a conversation with client tools is under way: in the job that makes the call, and in the one that
 * brings the result. Each ends once, and the model is never sent a call without its result.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { expectPairs, SCREEN, sentIn } from "../support/client-tools.ts";
import { expectOneDone } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { ROOT } from "../support/sources.ts";

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-client-tools-"));
  platform = await startTestPlatform({ workers: 0 });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

/** A worker that dies at the failpoint. */
async function startMortalWorker(point: string, name: string) {
  const armed = join(dir, name);
  await mkdir(armed);
  await writeFile(join(armed, point), "");
  return platform.startWorker({
    NODE_OPTIONS: `--import ${pathToFileURL(join(ROOT, "test/chaos/crash-at.ts"))}`,
    CHAOS_ARMED: armed,
  });
}

/** Runs a chat whose first worker dies; another one, which stays, ends it. */
async function chatThroughDeath(point: string, name: string, body: object) {
  const mortal = await startMortalWorker(point, name);
  const stream = await platform.alice.chat(body);
  const reading = stream.all();
  await mortal.exited;
  const next = await platform.startWorker();
  const events = await reading;
  expectOneDone(events, name);
  await next.kill();
  return { done: events.at(-1)?.data as Json, sessionId: stream.sessionId };
}

test.each([
  ["model_call", "message_written"],
  ["message_written", "state_written"],
  ["state_written", "model_call"],
])(
  "a worker dies at %s of the call, and another at %s of the result",
  async (first, second) => {
    const message = `${first} ${second} [[calls=read_screen({})]]`;
    const called = await chatThroughDeath(first, `${first}-calls`, { message, tools: [SCREEN] });
    expect(called.done).toMatchObject({ status: "completed", finish_reason: "tool_calls" });
    const [{ call_id }] = called.done.tool_calls;
    const tool_results = [{ call_id, content: "Seen in time" }];
    const answered = await chatThroughDeath(second, `${second}-answers`, {
      session_id: called.sessionId,
      tool_results,
    });
    expect(answered.done).toMatchObject({ status: "completed", finish_reason: "stop" });
    const { messages } = (await platform.alice.get(`/chat/history?session_id=${called.sessionId}&include=tools`)).body;
    expect(messages.map(({ role }: Json) => role)).toEqual(["user", "assistant", "tool", "assistant"]);
    expect(messages.at(-1).content).toContain("Seen in time");
    expectPairs((await sentIn(platform, message)).messages);
  },
  300_000,
);
