/** The `metadata` of a request reaches the agent, and the job shows it in every state, also outside any session. */
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { ApiClient, Json } from "../support/api-client.ts";
import { cancelUnfinished } from "../support/cancel-unfinished.ts";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";

const METADATA = { ticket: "T-7", nested: { list: [1, "二"] } };

let platform: TestPlatform;
let alice: ApiClient;
beforeAll(async () => {
  platform = await startTestPlatform({ env: { ...FIXTURE_AGENTS, WORKER_EXECUTE_CONCURRENCY: "1" } });
  ({ alice } = platform);
});
afterEach(() => cancelUnfinished(alice));
afterAll(() => platform.stop());

test("an agent reads the metadata of its request", async () => {
  const jobId = await alice.execute("What is attached?", { metadata: METADATA }, "metadata");
  expect(JSON.parse((await alice.ended(jobId)).result.content)).toEqual(METADATA);
  const chat = await alice.chatWhole("What is attached?", { agent_type: "metadata", metadata: METADATA });
  expect(JSON.parse(chat.body.message.content)).toEqual(METADATA);
});

test("a job shows its metadata while it waits, while it runs and when it has ended", async () => {
  const running = await alice.execute("[[tokens=1 ttft=60000]] Runs", { metadata: METADATA });
  await alice.started(running);
  const queued = await alice.execute("Waits", { metadata: { waits: true } });
  const plain = await alice.execute("Waits without");
  expect((await alice.job(running)).metadata).toEqual(METADATA);
  expect((await alice.job(queued)).metadata).toEqual({ waits: true });

  const listed = async () =>
    Object.fromEntries((await alice.get("/jobs?limit=3")).body.jobs.map(({ id, metadata }: Json) => [id, metadata]));
  const expected = { [running]: METADATA, [queued]: { waits: true }, [plain]: {} };
  expect(await listed()).toEqual(expected);
  for (const jobId of [queued, plain, running]) {
    await alice.cancel(jobId);
    await alice.ended(jobId);
  }
  expect(await listed()).toEqual(expected);
});
