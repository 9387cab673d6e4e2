/**
 * A worker is killed in the middle of a chat: another worker starts the chat over; the client keeps its connection,
 * gets a `reset`, and ends with the whole text (I1, I2, I4).
 */
import { readdir, readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../support/api-client.ts";
import { expectNumbered, expectOneDone } from "../support/expect-stream.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { type SseEvent, shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform({ workers: 2 });
});
afterAll(() => platform.stop());

test("a stream whose worker is killed goes on with a reset to the whole text and one done", async () => {
  const stream = await platform.alice.chat({ message: "[[tokens=30 rate=15]] the worker will die" });
  const events: SseEvent[] = [];
  let killed = false;
  for await (const event of stream.events()) {
    events.push(event);
    if (killed || events.length < 8) continue;
    killed = true;
    await waitFor("its model turn in the timeline", async () => (await turns(stream.jobId))[0] === "running");
    const victim = await waitFor("the worker that runs it", () => workerOf(stream.jobId));
    await platform.workers[victim - 1]?.kill();
  }

  expectNumbered(events, "the stream");
  expectOneDone(events, "the stream");
  const startedOver = events.filter(({ data }) => data.type === "retry" || data.type === "reset");
  expect(startedOver.map(({ data }) => data)).toMatchObject([
    { type: "retry", attempt: 2 },
    { type: "reset", content: "" },
  ]);

  const { body } = await platform.alice.get(`/jobs/${stream.jobId}/steps`);
  expect(body.attempts.map(({ outcome }: Json) => outcome)).toEqual(["lost", "completed"]);
  expect(new Set(body.attempts.map(({ worker }: Json) => worker)).size).toBe(2);
  expect(await turns(stream.jobId)).toEqual(["interrupted", "completed"]);

  const messages = await platform.alice.history(stream.sessionId);
  expect(messages.map(({ role }) => role)).toEqual(["user", "assistant"]);
  expect(messages[1].content).toBe(shownText(events));
  const calls = await platform.model.calls({ contains: "the worker will die" });
  expect(calls.map(({ ended }) => ended)).toEqual(["client_closed", "done"]);
  expect(events.filter(({ data }) => data.type === "text").length).toBeGreaterThan(30);
});

/** The statuses of the job's model turns. */
async function turns(jobId: string | null): Promise<readonly string[]> {
  const { body } = await platform.alice.get(`/jobs/${jobId}/steps`);
  return body.steps.filter(({ kind }: Json) => kind === "model").map(({ status }: Json) => status);
}

/** The number of the worker that started the job, from the workers' logs. */
async function workerOf(jobId: string): Promise<number | undefined> {
  for (const file of await readdir(platform.logDir)) {
    const [, number] = /^worker-(\d)\./.exec(file) ?? [];
    const text = number === undefined ? "" : await readFile(`${platform.logDir}/${file}`, "utf8");
    if (text.includes(`"job_id":"${jobId}"`)) return Number(number);
  }
  return undefined;
}
