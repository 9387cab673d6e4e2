/** Agents that ask a model by a library of their own: their usage, their limits, their failures, and work done once. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { FIXTURE_AGENTS, startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { waitFor } from "../support/wait-for.ts";

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-library-"));
  platform = await startTestPlatform({ env: FIXTURE_AGENTS });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

const start = (task: string, config: object = {}, more: object = {}) => {
  const base_url = `${platform.modelOrigin}/v1`;
  return platform.alice.execute(task, { config: { base_url, ...config }, ...more }, "library");
};

test("what the agent reports is the job's usage", async () => {
  const job = await platform.alice.ended(await start("[[tokens=10]] usage", { turns: 3 }));
  expect(job).toMatchObject({ status: "completed", usage: { output_tokens: 30 } });
  expect(job.usage.input_tokens).toBeGreaterThan(0);
  expect(job.usage.total_tokens).toBe(job.usage.input_tokens + 30);
});

test.each([
  ["max_output_tokens", 15, false],
  ["max_output_tokens", 16, true],
  ["max_steps", 1, false],
])(
  "the limit %s (%i) ends the run of an agent that reports, also of one that goes on: %s",
  async (limit, value, deaf) => {
    const limits = { [limit]: value };
    const job = await platform.alice.ended(
      await start(`[[tokens=10]] ${limit} ${value}`, { turns: 9, deaf }, { limits }),
    );
    expect(job).toMatchObject({ status: "failed", error: { code: "budget_exhausted" }, usage: { output_tokens: 20 } });
    expect(await platform.model.calls({ contains: `${limit} ${value}` })).toHaveLength(2);
  },
);

test.each([
  ["401", "model_auth_failed"],
  ["400", "model_rejected"],
  ["quota", "model_quota_exceeded"],
])("a provider's failure %s fails the job with %s", async (fault, code) => {
  const job = await platform.alice.ended(await start(`[[fault=${fault}]] failure ${fault}`));
  expect(job).toMatchObject({ status: "failed", attempt: 1, error: { code } });
});

test("a failure that passes is retried, with the turns that were finished before it", async () => {
  const task = "[[tokens=5]] passing";
  await platform.model.script({ match: `${task} (2)`, steps: [{ fault: 503 }] });
  const job = await platform.alice.ended(await start(task, { turns: 2 }));
  expect(job).toMatchObject({ status: "completed", attempt: 2, usage: { output_tokens: 10 } });
  expect(await platform.model.calls({ contains: task })).toHaveLength(3);
});

test("the context says whose job it is, and of which session", async () => {
  const metadata = { ticket: 7 };
  const config = { base_url: platform.modelOrigin, tells: true };
  const chat = await platform.alice.chat({ agent_type: "library", message: "Who?", config, metadata });
  await chat.all();
  const { result } = (await platform.alice.get(`/jobs/${chat.jobId}`)).body;
  const told = { sessionId: chat.sessionId, owner: "alice", kind: "chat", task: "Who?", metadata };
  expect(JSON.parse(result.content)).toEqual(told);
});

test("after a crash, finished work is not done again, and work in doubt only if it is idempotent", async () => {
  const files = { no: join(dir, "no"), yes: join(dir, "yes") };
  const linesOf = async (file: string) => (await readFile(file, "utf8").catch(() => "")).split("\n").filter(Boolean);
  const config = { turns: 2, hang_at: 2 };
  const jobs = {
    no: await start("[[tokens=5]] crash once", { ...config, file: files.no }),
    yes: await start("[[tokens=5]] crash again", { ...config, file: files.yes, idempotent: true }),
  };
  await waitFor("both jobs to be within their second turn", async () =>
    [await linesOf(files.no), await linesOf(files.yes)].every((lines) => lines.includes("2")),
  );
  await platform.workers[0]?.kill();
  await platform.startWorker();
  const [no, yes] = [await platform.alice.ended(jobs.no), await platform.alice.ended(jobs.yes)];
  expect(no).toMatchObject({ status: "failed", attempt: 2, error: { code: "effect_in_doubt" } });
  expect(yes).toMatchObject({ status: "completed", attempt: 2, usage: { output_tokens: 10 } });
  expect([await linesOf(files.no), await linesOf(files.yes)]).toEqual([
    ["1", "2"],
    ["1", "2", "2"],
  ]);
}, 90_000);
