/**
 * Telemetry events of API and worker, seen by a subscriber that their processes load and that the product does not
 * know.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { ROOT } from "../support/sources.ts";
import { waitFor } from "../support/wait-for.ts";
import { decide, waitingFor } from "../support/waiting-job.ts";

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

let platform: TestPlatform;
let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-telemetry-"));
  const recorder = join(ROOT, "test/fixtures/telemetry/recorder.ts");
  const env = { NODE_OPTIONS: `--import=${recorder}`, TELEMETRY_FILE: join(dir, "events.jsonl") };
  platform = await startTestPlatform({ env });
});
afterAll(async () => {
  await platform.stop();
  await rm(dir, { recursive: true });
});

type Recorded = { readonly name: string; readonly job_id: string; readonly [fact: string]: unknown };

/** The events of the job, once it is reported as ended. */
const eventsOf = (jobId: string): Promise<Recorded[]> =>
  waitFor("job.ended", async () => {
    const lines = (await readFile(join(dir, "events.jsonl"), "utf8")).trim().split("\n");
    const events = lines.map((line) => JSON.parse(line) as Recorded).filter(({ job_id }) => job_id === jobId);
    return events.some(({ name }) => name === "job.ended") && events;
  });

test("a chat with a tool call is reported from its queue to its end, under the request's trace", async () => {
  const message = '[[calls=calculator({"expression":"6*7"})]]';
  const stream = await platform.alice.chat({ agent_type: "tool_basic", message }, { traceparent: TRACEPARENT });
  await stream.all();
  const { jobId: job_id } = stream;
  const job = { job_id, kind: "chat", agent_type: "tool_basic", owner: "alice", traceparent: TRACEPARENT };
  const ms = expect.any(Number);
  const usage = expect.objectContaining({ total_tokens: ms });
  const events = await eventsOf(job_id);
  expect(events).toHaveLength(6);
  // The API and the worker write the file side by side.
  expect(events).toContainEqual({ name: "job.queued", ...job });
  expect(events.filter(({ name }) => name !== "job.queued")).toEqual([
    { name: "job.started", ...job, attempt: 1, queue_ms: ms },
    { name: "model.turn", job_id, usage, ms },
    { name: "tool.call", job_id, tool: "calculator", status: "ok", ms },
    { name: "model.turn", job_id, usage, ms },
    { name: "job.ended", ...job, status: "completed", error_code: null, ms },
  ]);
});

test("a job that waits for a person is reported as suspended and as resumed", async () => {
  const task = '[[calls=calculator({"expression":"6*7"})]]';
  const config = { tools: ["calculator"], approve: ["calculator"] };
  const job_id = await platform.alice.execute(task, { config }, "tool_basic");
  const [{ request_id }] = (await waitingFor(platform.alice, job_id)) as [{ request_id: string }];
  await decide(platform.alice, job_id, { request_id, decision: "approve" });
  const events = (await eventsOf(job_id)).filter(({ name }) => name.startsWith("job.") && name !== "job.queued");
  const job = { job_id, kind: "execute", agent_type: "tool_basic", owner: "alice" };
  const ms = expect.any(Number);
  expect(events).toEqual([
    { name: "job.started", ...job, attempt: 1, queue_ms: ms },
    { name: "job.suspended", ...job, inquiries: 1 },
    { name: "job.resumed", ...job, waited_ms: ms },
    { name: "job.started", ...job, attempt: 2, queue_ms: ms },
    { name: "job.ended", ...job, status: "completed", error_code: null, ms },
  ]);
});

test("a job that fails is reported with its error code, and without a trace when its request had none", async () => {
  const jobId = await platform.alice.execute("[[fault=401]]");
  const events = await eventsOf(jobId);
  const ended = events.find(({ name }) => name === "job.ended");
  expect(ended).toMatchObject({ status: "failed", error_code: "model_auth_failed" });
  expect(ended).not.toHaveProperty("traceparent");
});
