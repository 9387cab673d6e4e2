import { expect, test } from "vitest";
import { checkRun, evidenceOf, goodRun, type Run } from "../chaos/forged-run.ts";
import { readOptions } from "./options.ts";
import { countRound, formatRounds, type Played } from "./report.ts";
import { ROUNDS } from "./rounds.ts";

const [round] = ROUNDS.filter(({ name }) => name === "c-link");
if (round === undefined) throw new Error("there is no such round");
const played: Played = { round, jobs: 1, apisBackMs: 1_500, workersBackMs: 2_500 };

/** A chat of the round whose stream at host c falls silent, and goes on at host b with the second run of its job. */
function resumedRun(): Run {
  const run = goodRun();
  const rename = (text: string) => text.replaceAll("q-1", "c-link-1");
  const [first] = run.transcript.connections;
  if (first === undefined) throw new Error("there is no connection");
  const [before, rest] = [run.stream.slice(0, 4), run.stream.slice(4)].map((frames) => rename(frames.join("")));
  const at = { openedAt: 50, status: 200 };
  run.transcript.connections.splice(
    0,
    1,
    { ...first, ...at, api: "c-api", chunks: [[1_000, before ?? ""]], closed: "silent" as "end" },
    { ...first, ...at, api: "b-api", after: 4, chunks: [[13_000, rest ?? ""]] },
  );
  Object.assign(run.transcript, { label: "c-link-1" });
  Object.assign(run.transcript.expected, {
    ...{ answer: "c-link-1: hello", once: [], again: ["c-link-1-c"] },
  });
  Object.assign(run.row, { task: "c-link-1 [[…]]", attempts: 2, result: rename(run.row.result ?? "") });
  run.log = run.log.map(rename);
  run.messages = run.messages.map((message) => ({ ...message, content: rename(message.content) }));
  run.calls = run.calls.map((call) => ({ ...call, last_user: rename(call.last_user) }));
  run.effects = run.effects.map(rename);
  return run;
}

const countOf = (run: Run, of: Played = played) => countRound(of, evidenceOf(run), checkRun(run));

test("a stream that breaks at host c and goes on at host b is counted, and nothing is wrong", () => {
  expect(countOf(resumedRun())).toEqual({
    ...{ name: "c-link", jobs: 1, broken: 1, resumedAtB: 1, takenOver: 1, lost: 0, doubled: 0, others: 0 },
    ...{ longestPauseMs: 12_000, apisBackMs: 1_500, workersBackMs: 2_500, problems: [] },
  });
});

test("what the checker finds is counted as lost, doubled or another fault", () => {
  const lost = resumedRun();
  lost.rows.pop();
  expect(countOf(lost)).toMatchObject({ lost: 1, doubled: 0 });
  const doubled = resumedRun();
  doubled.effects.push("c-link-1-c call-9");
  expect(countOf(doubled)).toMatchObject({ lost: 0, doubled: 1, others: 0 });
  const changed = resumedRun();
  changed.messages = changed.messages.map((message) => ({ ...message, content: "else" }));
  expect(countOf(changed)).toMatchObject({ lost: 0, doubled: 0, others: 1 });
});

test("a round in which nothing was resumed or taken over, or a worker did not come back, proves nothing", () => {
  const { problems } = countOf(goodRun(), { ...played, jobs: 400, workersBackMs: null });
  expect(problems).toEqual([
    "only 0 of 400 questions have a transcript",
    "not every worker took a job when the link was back",
    "0 of 0 broken streams went on at host b",
    "no job was taken over",
  ]);
});

test("a stream that breaks while host c is away for good must go on at host b", () => {
  const run = resumedRun();
  const [first] = run.transcript.connections;
  if (first === undefined) throw new Error("there is no connection");
  const count = countOf(run);
  run.transcript.connections[1] = { ...first, closed: "end" };
  expect(count.problems).toEqual([]);
  expect(countOf(run).problems).toEqual(["0 of 1 broken streams went on at host b"]);
});

test("the jobs of one round are not those of another whose name begins the same way", () => {
  const run = resumedRun();
  Object.assign(run.transcript, { label: "c-linked-1" });
  expect(countOf(run).jobs).toBe(0);
  // Nor is what was asked when the link was back.
  Object.assign(run.transcript, { label: "c-link-again-1" });
  expect(countOf(run).jobs).toBe(0);
});

test("the table has a line for each round and each problem", () => {
  const count = { ...countOf(resumedRun()), workersBackMs: null, problems: ["no worker"] };
  const lines = formatRounds([count]).split("\n");
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^c-link +1 +1 +1 +1 +0 +0 +0 +12\.0 s +1\.5 s +never$/);
  expect(lines[2]).toBe("  c-link: no worker");
});

test("the command line chooses rounds by their names, and refuses what it does not know", () => {
  expect(readOptions([])).toMatchObject({ rounds: ROUNDS, chats: 300, executeJobs: 100 });
  expect(readOptions(["--only", "a-in,c-link"]).rounds.map(({ name }) => name)).toEqual(["c-link", "a-in"]);
  expect(() => readOptions(["--only", "c-link,d"])).toThrow("'d'");
  expect(() => readOptions(["--chats", "many"])).toThrow("--chats");
});
