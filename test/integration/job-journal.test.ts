/** The journal on a real database: I5 within a job, I4 between its attempts. */
import { expect, test } from "vitest";
import { WriterRefused } from "../../apps/worker/src/events/job-event-writer.ts";
import { createJobJournal } from "../../apps/worker/src/run/job-journal.ts";
import { createJobRepository } from "../../apps/worker/src/storage/job-repository.ts";
import { createJournalRepository } from "../../apps/worker/src/storage/journal-repository.ts";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { openTestDatabase } from "../support/test-database.ts";

async function startJob() {
  const { db } = await openTestDatabase();
  const jobs = createJobRepository(db, "worker-a");
  const payload = jobPayload({ agent_type: "tool_basic" });
  const refused: number[] = [];
  const attempt = async (number: number) => {
    await jobs.start(payload, number);
    return createJobJournal({
      steps: createJournalRepository(db),
      jobId: payload.job_id,
      fencingToken: number,
      resumed: number > 1,
      onRefused: () => refused.push(number),
    });
  };
  return { db, payload, jobs, attempt, refused };
}

const entry = (input: unknown, idempotent = true) => ({ kind: "tool", input, idempotent });

/** Begins and finishes a new entry. */
async function finish(journal: Awaited<ReturnType<Awaited<ReturnType<typeof startJob>>["attempt"]>>, input: unknown) {
  const begun = await journal.begin(entry(input));
  if (begun.state !== "new") throw new Error(`the entry is ${begun.state}`);
  await begun.finish(`value of ${JSON.stringify(input)}`);
  return begun.id;
}

test("finished entries are found by the next attempt in any order", async () => {
  const { attempt } = await startJob();
  const first = await attempt(1);
  for (const input of ["a", "b", { deep: [1] }]) await finish(first, input);
  const second = await attempt(2);
  for (const input of [{ deep: [1] }, "b", "a"]) {
    expect(await second.begin(entry(input))).toEqual({ state: "finished", value: `value of ${JSON.stringify(input)}` });
  }
  expect(await second.begin(entry("c"))).toMatchObject({ state: "new" });
});

test("two pieces of work with equal input are two entries, within one part and in different parts", async () => {
  const { attempt, db } = await startJob();
  const first = await attempt(1);
  const ids = [await finish(first, "a"), await finish(first, "a"), await finish(first.within("child"), "a")];
  expect(new Set(ids).size).toBe(3);
  const second = await attempt(2);
  for (const journal of [second, second.within("child"), second]) {
    expect(await journal.begin(entry("a"))).toMatchObject({ state: "finished" });
  }
  expect(await second.begin(entry("a"))).toMatchObject({ state: "new" });
  expect(await db("agent_steps").orderBy("step_no").pluck("step_no")).toEqual([1, 2, 3]);
});

test("an entry that is not idempotent is written before its work begins, and is in doubt afterwards", async () => {
  const { attempt } = await startJob();
  const first = await attempt(1);
  const [once, again] = [await first.begin(entry("once", false)), await first.begin(entry("again"))];
  expect([once.state, again.state]).toEqual(["new", "new"]);
  const second = await attempt(2);
  expect(await second.begin(entry("once", false))).toEqual({ state: "in_doubt" });
  // An idempotent entry has the same id in every attempt.
  expect(await second.begin(entry("again"))).toMatchObject({ state: "new", id: "id" in again && again.id });
});

test("an attempt with a lower fencing token begins and writes no entry (I4)", async () => {
  const { attempt, refused, db, jobs, payload } = await startJob();
  const stale = await attempt(1);
  const begun = await stale.begin(entry("a"));
  const current = await attempt(2);
  await expect(stale.begin(entry("effect", false))).rejects.toThrow(WriterRefused);
  await expect("finish" in begun && begun.finish("late")).rejects.toThrow(WriterRefused);
  expect(refused).toEqual([1, 1]);
  expect(await db("agent_steps")).toEqual([]);

  await finish(current, "b");
  expect(await jobs.end(payload, 2, jobEnd(""))).toBe(true);
  await expect(current.begin(entry("after the end", false))).rejects.toThrow(WriterRefused);
});

test("a value beyond 1 MiB is refused with an error that names the limit", async () => {
  const { attempt } = await startJob();
  const begun = await (await attempt(1)).begin(entry("a"));
  await expect("finish" in begun && begun.finish("x".repeat(1024 * 1024))).rejects.toThrow(/1048576/);
});

test("earlier attempts have used their model turns and tool calls, whatever values other entries hold", async () => {
  const { attempt } = await startJob();
  const first = await attempt(1);
  await finish(first, "a call");
  const usage = { input_tokens: 3, output_tokens: 4, total_tokens: 7 };
  for (const value of [{ content: "", toolCalls: [], finishReason: "stop", usage }, null, "vectors"]) {
    const begun = await first.begin({ kind: "model", input: value, idempotent: true });
    await ("finish" in begun && begun.finish(value));
  }
  expect(await (await attempt(2)).used()).toMatchObject({ usage, budget: { toolCalls: 1, outputTokens: 4 } });
});
