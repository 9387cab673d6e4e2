/** What every adapter of another framework shows, with the example of that framework. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeTypeSettings } from "../../scripts/new-agent/write-agent.ts";
import type { Json } from "./api-client.ts";
import { frameworkExample } from "./framework-example.ts";
import { startTestPlatform, type TestPlatform } from "./platform.ts";
import { ROOT } from "./sources.ts";
import { shownText, thoughtsOf } from "./sse-client.ts";
import { waitFor } from "./wait-for.ts";
import { decide, waitingFor } from "./waiting-job.ts";

export type FrameworkAgents = {
  /**
   * Has the tools `free_tables`, which reads, and `reserve` and `cancel`, which append a line to RESERVATIONS_FILE;
   * `cancel` wants a person's decision.
   */
  readonly desk: string;
  /** The answer by which a person allows `cancel`. */
  readonly yes: unknown;
  /** Answers with `{guests: [...]}` as data. */
  readonly guests: string;
};

const INSTALLED_WITHIN_MS = 240_000;

export function frameworkContract(name: string, { desk, guests, yes }: FrameworkAgents): void {
  let platform: TestPlatform;
  let dir: string;
  let folder: string;
  let env: NodeJS.ProcessEnv;
  const removals: (() => Promise<void>)[] = [];
  const reservations = async () =>
    (await readFile(join(dir, "reservations"), "utf8").catch(() => "")).split("\n").filter(Boolean).sort();

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), "agent-paas-framework-"));
    folder = await frameworkExample(name, (remove) => removals.push(remove));
    env = { AGENTS_DIR: folder, AGENTS_STRICT: "on", RESERVATIONS_FILE: join(dir, "reservations") };
    platform = await startTestPlatform({ env });
  }, INSTALLED_WITHIN_MS);
  afterAll(async () => {
    await platform?.stop();
    for (const remove of removals) await remove();
    await rm(dir, { recursive: true });
  });

  test("the example fits the types of the framework and of the platform", async () => {
    await writeTypeSettings(folder, ROOT);
    await promisify(execFile)(join(ROOT, "node_modules/.bin/tsc"), ["--noEmit", "-p", folder]);
  });

  test("the framework's text is streamed in pieces, and its usage is the job's", async () => {
    const chat = await platform.alice.chat({ agent_type: desk, message: "[[tokens=20]] Good evening" });
    const events = await chat.all();
    expect(events.filter(({ event }) => event === "message").length).toBeGreaterThan(3);
    const job = await platform.alice.job(chat.jobId);
    expect(job).toMatchObject({ status: "completed", attempt: 1, usage: { output_tokens: 20 } });
    expect(Object.keys(job.usage.models)).toEqual(["local-model"]);
    expect(job.usage.input_tokens).toBeGreaterThan(0);
    expect(job.result.content).toBe(shownText(events));
  });

  test("two calls side by side are shown with their results, which the model reads", async () => {
    const calls = `free_tables({"day":"Friday"});reserve({"day":"Friday","name":"Ann"})`;
    const chat = await platform.alice.chat({ agent_type: desk, message: `[[calls=${calls}]] A table for Ann` });
    const events = await chat.all();
    expect(thoughtsOf(events, "tool_call")).toMatchObject([
      { name: "free_tables", arguments: { day: "Friday" } },
      { name: "reserve", arguments: { day: "Friday", name: "Ann" } },
    ]);
    const results = thoughtsOf(events, "tool_result").sort((a, b) => `${a.name}`.localeCompare(`${b.name}`));
    expect(results).toMatchObject([
      { name: "free_tables", status: "ok", result: '{"day":"Friday","free":6}', replayed: false },
      { name: "reserve", status: "ok", result: "reserved on Friday for Ann", replayed: false },
    ]);
    expect(shownText(events)).toContain("reserved on Friday for Ann");
    expect((await reservations()).filter((line) => line === "Friday Ann")).toHaveLength(1);
  });

  test("the conversation so far reaches the framework", async () => {
    const first = await platform.alice.chat({ agent_type: desk, message: "[[text=Noted.]] My name is Bo" });
    await first.all();
    const { sessionId: session_id } = first;
    const second = await platform.alice.chat({ agent_type: desk, session_id, message: "[[text=Bo.]] Who am I?" });
    await second.all();
    const [call] = await platform.model.calls({ contains: "Who am I?" });
    const messages: readonly Json[] = (await platform.model.call(call?.id ?? 0)).messages ?? [];
    const said = messages.filter(({ role }) => role === "user" || role === "assistant");
    expect(said.map(({ role, content }) => [role, textOf(content)])).toEqual([
      ["user", "[[text=Noted.]] My name is Bo"],
      ["assistant", "Noted."],
      ["user", "[[text=Bo.]] Who am I?"],
    ]);
  });

  test("a cancel in mid-stream closes the framework's request to its provider", async () => {
    const chat = await platform.alice.chat({ agent_type: desk, message: "[[tokens=5000 rate=50]] A long story" });
    for await (const { event } of chat.events()) if (event === "message") break;
    expect((await platform.model.stats()).open_streams).toBe(1);
    await platform.alice.cancel(chat.jobId);
    await waitFor("the upstream to close", async () => (await platform.model.stats()).open_streams === 0, 1_000);
    expect((await platform.alice.ended(chat.jobId)).status).toBe("cancelled");
  });

  test("a structured output is the result's data", async () => {
    const message = `[[text=${encodeURIComponent('{"guests":["Ann","Bo"]}')}]] Ann and Bo come`;
    const job = await platform.alice.ended(await platform.alice.execute(message, {}, guests));
    expect(job).toMatchObject({ status: "completed", result: { data: { guests: ["Ann", "Bo"] } } });
  });

  /** A job that waits for the decision whether reservations of the day are cancelled. */
  async function cancelling(day: string) {
    const task = `[[calls=cancel({"day":"${day}"})]] Cancel ${day}`;
    const jobId = await platform.alice.execute(task, {}, desk);
    const [asked] = await waitingFor(platform.alice, jobId);
    expect(asked).toMatchObject({ type: "input", question: expect.stringMatching(new RegExp(`cancel.*${day}`, "i")) });
    const calls = () => platform.model.calls({ contains: `Cancel ${day}` });
    return { jobId, requestId: asked.request_id, calls };
  }

  test("what the framework wants a person to decide waits, and is done once after the answer", async () => {
    const { jobId, requestId, calls } = await cancelling("Monday");
    expect(await reservations()).not.toContain("Monday cancelled");
    await platform.workers[0]?.kill();
    await platform.startWorker();
    await decide(platform.alice, jobId, { request_id: requestId, decision: "answer", answer: yes });
    const job = await platform.alice.ended(jobId);
    expect(job).toMatchObject({ status: "completed", result: { content: expect.stringContaining("cancelled on") } });
    expect((await reservations()).filter((line) => line === "Monday cancelled")).toHaveLength(1);
    expect(await calls()).toHaveLength(2);
  });

  test("what a person declines is not done, and the framework goes on", async () => {
    const { jobId, requestId, calls } = await cancelling("Tuesday");
    await decide(platform.alice, jobId, { request_id: requestId, decision: "reject", reason: "not today" });
    expect(await platform.alice.ended(jobId)).toMatchObject({ status: "completed" });
    expect(await reservations()).not.toContain("Tuesday cancelled");
    expect(await calls()).toHaveLength(2);
  });

  test.each([
    ["401", "model_auth_failed"],
    ["quota", "model_quota_exceeded"],
  ])("the provider's failure %s fails the job with %s", async (fault, code) => {
    const job = await platform.alice.ended(await platform.alice.execute(`[[fault=${fault}]] ${fault}`, {}, desk));
    expect(job).toMatchObject({ status: "failed", attempt: 1, error: { code } });
  });

  test("limits end a run of the framework", async () => {
    const calls = Array.from({ length: 9 }, (_, at) => `free_tables({"day":"${at}"})`).join("|");
    const limited = async (limits: object) =>
      platform.alice.ended(await platform.alice.execute(`[[calls=${calls}]] limited`, { limits }, desk));
    expect(await limited({ max_steps: 3 })).toMatchObject({ status: "failed", error: { code: "budget_exhausted" } });
    expect(await limited({ max_tool_calls: 2 })).toMatchObject({ error: { code: "budget_exhausted" } });
  });

  test("a worker that dies between two calls leaves none of them to be made twice, and no turn to be asked again", async () => {
    const armed = join(dir, "armed");
    await mkdir(armed);
    await writeFile(join(armed, "journaled"), "");
    const mortal = await startTestPlatform({
      workers: 0,
      env: {
        ...env,
        NODE_OPTIONS: `--import ${pathToFileURL(join(ROOT, "test/chaos/crash-at.ts"))}`,
        CHAOS_ARMED: armed,
      },
    });
    try {
      await mortal.startWorker();
      const calls = `reserve({"day":"Sunday","name":"Cy"})|reserve({"day":"Sunday","name":"Di"})`;
      const jobId = await mortal.alice.execute(`[[calls=${calls}]] Two tables`, {}, desk);
      await mortal.workers[0]?.exited;
      await mortal.startWorker();
      const job = await mortal.alice.ended(jobId);
      expect(job).toMatchObject({ status: "completed", attempt: 2 });
      const made = (await reservations()).filter((line) => line.startsWith("Sunday"));
      expect(made).toEqual(["Sunday Cy", "Sunday Di"]);
      expect(await mortal.model.calls({ contains: "Two tables" })).toHaveLength(3);
      const replay = await (await mortal.alice.follow(jobId)).all();
      expect(thoughtsOf(replay, "tool_result")).toContainEqual(expect.objectContaining({ replayed: true }));
    } finally {
      await mortal.stop();
    }
  }, 120_000);
}

const textOf = (content: unknown): unknown =>
  Array.isArray(content) ? content.map(({ text }: { text: string }) => text).join("") : content;
