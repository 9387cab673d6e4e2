/** What every adapter of another framework shows, with the example of that framework. */
import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { writeTypeSettings } from "../../scripts/new-agent/write-agent.ts";
import type { Json } from "./api-client.ts";
import type { FrameworkPlatform } from "./framework-platform.ts";
import { fresh } from "./fresh.ts";
import { startTestPlatform } from "./platform.ts";
import { ROOT } from "./sources.ts";
import { shownText, thoughtsOf } from "./sse-client.ts";
import { waitFor } from "./wait-for.ts";
import { decide, waitingFor } from "./waiting-job.ts";

/**
 * The example has the tools `free_tables`, which reads, and `reserve` and `cancel`, which append a line to
 * RESERVATIONS_FILE; `cancel` wants a person's decision.
 * @param yes the answer by which a person allows `cancel`
 */
export function frameworkContract(framework: FrameworkPlatform, yes: unknown): void {
  const desk = framework.agent("desk");
  const guests = framework.agent("guests");
  const { written } = framework;

  test("the example fits the types of the framework and of the platform", async () => {
    await writeTypeSettings(framework.folder, ROOT);
    await promisify(execFile)(join(ROOT, "node_modules/.bin/tsc"), ["--noEmit", "-p", framework.folder], {
      timeout: 120_000,
    });
  });

  test("the framework's text is streamed in pieces, and its usage is the job's", async () => {
    const chat = await framework.platform.alice.chat({ agent_type: desk, message: "[[tokens=20]] Good evening" });
    const events = await chat.all();
    expect(events.filter(({ event }) => event === "message").length).toBeGreaterThan(3);
    const job = await framework.platform.alice.job(chat.jobId);
    expect(job).toMatchObject({ status: "completed", attempt: 1, usage: { output_tokens: 20 } });
    expect(Object.keys(job.usage.models)).toEqual(["local-model"]);
    expect(job.usage.input_tokens).toBeGreaterThan(0);
    expect(job.result.content).toBe(shownText(events));
  });

  test("two calls side by side are shown with their results, which the model reads", async () => {
    const name = fresh("Ann");
    const calls = `free_tables({"day":"Friday"});reserve({"day":"Friday","name":"${name}"})`;
    const chat = await framework.platform.alice.chat({
      agent_type: desk,
      message: `[[calls=${calls}]] A table for Ann`,
    });
    const events = await chat.all();
    expect(thoughtsOf(events, "tool_call")).toMatchObject([
      { name: "free_tables", arguments: { day: "Friday" } },
      { name: "reserve", arguments: { day: "Friday", name } },
    ]);
    const results = thoughtsOf(events, "tool_result").sort((a, b) => `${a.name}`.localeCompare(`${b.name}`));
    expect(results).toMatchObject([
      { name: "free_tables", status: "ok", result: '{"day":"Friday","free":6}', replayed: false },
      { name: "reserve", status: "ok", result: `reserved on Friday for ${name}`, replayed: false },
    ]);
    expect(shownText(events)).toContain(`reserved on Friday for ${name}`);
    expect((await written()).filter((line) => line === `Friday ${name}`)).toHaveLength(1);
  });

  test("the conversation so far reaches the framework", async () => {
    const question = fresh("Who am I?");
    const first = await framework.platform.alice.chat({ agent_type: desk, message: "[[text=Noted.]] My name is Bo" });
    await first.all();
    const { sessionId: session_id } = first;
    const second = await framework.platform.alice.chat({
      agent_type: desk,
      session_id,
      message: `[[text=Bo.]] ${question}`,
    });
    await second.all();
    const [call] = await framework.platform.model.calls({ contains: question });
    const messages: readonly Json[] = (await framework.platform.model.call(call?.id ?? 0)).messages ?? [];
    const said = messages.filter(({ role }) => role === "user" || role === "assistant");
    expect(said.map(({ role, content }) => [role, textOf(content)])).toEqual([
      ["user", "[[text=Noted.]] My name is Bo"],
      ["assistant", "Noted."],
      ["user", `[[text=Bo.]] ${question}`],
    ]);
  });

  test("a cancel in mid-stream closes the framework's request to its provider", async () => {
    const story = fresh("A long story");
    const chat = await framework.platform.alice.chat({
      agent_type: desk,
      message: `[[tokens=5000 rate=50]] ${story}`,
    });
    const call = async () => (await framework.platform.model.calls({ contains: story }))[0];
    for await (const { event } of chat.events()) if (event === "message") break;
    expect(await call()).toMatchObject({ ended_at_ms: null });
    await framework.platform.alice.cancel(chat.jobId);
    // The product's bound is a second behind the worker's hearing of it, which no record tells.
    await waitFor("the upstream to close", async () => typeof (await call())?.ended_at_ms === "number", 5_000);
    expect((await framework.platform.alice.ended(chat.jobId)).status).toBe("cancelled");
  });

  test("a structured output is the result's data", async () => {
    const message = `[[text=${encodeURIComponent('{"guests":["Ann","Bo"]}')}]] Ann and Bo come`;
    const job = await framework.platform.alice.ended(await framework.platform.alice.execute(message, {}, guests));
    expect(job).toMatchObject({ status: "completed", result: { data: { guests: ["Ann", "Bo"] } } });
  });

  /** A job that waits for the decision whether reservations of the day are cancelled. */
  async function cancelling(day: string) {
    const task = `[[calls=cancel({"day":"${day}"})]] Cancel ${day}`;
    const jobId = await framework.platform.alice.execute(task, {}, desk);
    const [asked] = await waitingFor(framework.platform.alice, jobId);
    expect(asked).toMatchObject({ type: "input", question: expect.stringMatching(new RegExp(`cancel.*${day}`, "i")) });
    const calls = () => framework.platform.model.calls({ contains: `Cancel ${day}` });
    return { jobId, requestId: asked.request_id, calls };
  }

  test("what the framework wants a person to decide waits, and is done once after the answer", async () => {
    const day = fresh("Monday");
    const { jobId, requestId, calls } = await cancelling(day);
    expect(await written()).not.toContain(`${day} cancelled`);
    await framework.replaceWorker();
    await decide(framework.platform.alice, jobId, { request_id: requestId, decision: "answer", answer: yes });
    const job = await framework.platform.alice.ended(jobId);
    expect(job).toMatchObject({ status: "completed", result: { content: expect.stringContaining("cancelled on") } });
    expect((await written()).filter((line) => line === `${day} cancelled`)).toHaveLength(1);
    expect(await calls()).toHaveLength(2);
  });

  test("what a person declines is not done, and the framework goes on", async () => {
    const day = fresh("Tuesday");
    const { jobId, requestId, calls } = await cancelling(day);
    await decide(framework.platform.alice, jobId, { request_id: requestId, decision: "reject", reason: "not today" });
    expect(await framework.platform.alice.ended(jobId)).toMatchObject({ status: "completed" });
    expect(await written()).not.toContain(`${day} cancelled`);
    expect(await calls()).toHaveLength(2);
  });

  test.each([
    ["401", "model_auth_failed"],
    ["quota", "model_quota_exceeded"],
  ])("the provider's failure %s fails the job with %s", async (fault, code) => {
    const job = await framework.platform.alice.ended(
      await framework.platform.alice.execute(`[[fault=${fault}]] ${fault}`, {}, desk),
    );
    expect(job).toMatchObject({ status: "failed", attempt: 1, error: { code } });
  });

  test("limits end a run of the framework", async () => {
    const calls = Array.from({ length: 9 }, (_, at) => `free_tables({"day":"${at}"})`).join("|");
    const limited = async (limits: object) =>
      framework.platform.alice.ended(
        await framework.platform.alice.execute(`[[calls=${calls}]] limited`, { limits }, desk),
      );
    expect(await limited({ max_steps: 3 })).toMatchObject({ status: "failed", error: { code: "budget_exhausted" } });
    expect(await limited({ max_tool_calls: 2 })).toMatchObject({ error: { code: "budget_exhausted" } });
  });

  test("a worker that dies between two calls leaves none of them to be made twice, and no turn to be asked again", async () => {
    const armed = join(framework.dir, fresh("armed"));
    await mkdir(armed);
    await writeFile(join(armed, "journaled"), "");
    const mortal = await startTestPlatform({
      workers: 0,
      readyWithinMs: 60_000,
      env: {
        ...framework.env,
        NODE_OPTIONS: `--import ${pathToFileURL(join(ROOT, "test/chaos/crash-at.ts"))}`,
        CHAOS_ARMED: armed,
      },
    });
    try {
      await mortal.startWorker();
      const day = fresh("Sunday");
      const calls = `reserve({"day":"${day}","name":"Cy"})|reserve({"day":"${day}","name":"Di"})`;
      const jobId = await mortal.alice.execute(`[[calls=${calls}]] Two tables on ${day}`, {}, desk);
      await mortal.workers[0]?.exited;
      await mortal.startWorker();
      const job = await mortal.alice.ended(jobId);
      expect(job).toMatchObject({ status: "completed", attempt: 2 });
      const made = (await written()).filter((line) => line.startsWith(day));
      expect(made).toEqual([`${day} Cy`, `${day} Di`]);
      expect(await mortal.model.calls({ contains: `Two tables on ${day}` })).toHaveLength(3);
      const replay = await (await mortal.alice.follow(jobId)).all();
      expect(thoughtsOf(replay, "tool_result")).toContainEqual(expect.objectContaining({ replayed: true }));
    } finally {
      await mortal.stop();
    }
  }, 120_000);
}

const textOf = (content: unknown): unknown =>
  Array.isArray(content) ? content.map(({ text }: { text: string }) => text).join("") : content;
