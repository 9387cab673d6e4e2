import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { createPart, type PartNews, type PartTiming } from "./part.ts";

const TIMING: PartTiming = { readyWithinMs: 10_000, firstPauseMs: 20, longestPauseMs: 80, healthyAfterMs: 60_000 };

/** A part that writes its process id, one line a run, to a file of its own. */
async function partOf(code: string, timing: Partial<PartTiming> = {}) {
  const dir = await mkdtemp(join(tmpdir(), "part-test-"));
  const file = join(dir, "runs");
  const prelude = `const file = ${JSON.stringify(file)}; require("node:fs").appendFileSync(file, process.pid + "\\n");`;
  const news: PartNews[] = [];
  const part = createPart(
    { name: "script", command: process.execPath, args: ["-e", prelude + code], env: {}, ready: "message" },
    (item) => news.push(item),
    { ...TIMING, ...timing },
  );
  onTestFinished(async () => {
    await part.kill();
    await rm(dir, { recursive: true });
  });
  const runs = async () => (await readFile(file, "utf8")).trim().split("\n").map(Number);
  const pauses = () => news.flatMap((item) => (item.kind === "ended" ? [item.againInMs] : []));
  return { part, news, runs, pauses };
}

const READY_AND_LINGER = 'process.send("ready"); setInterval(() => {}, 1e6);';
const READY_AND_CRASH = 'process.send("ready", () => process.exit(7));';

test("comes back after it was killed", async () => {
  const { part, news, runs } = await partOf(READY_AND_LINGER);
  await part.start();
  const [first = 0] = await runs();
  process.kill(first, "SIGKILL");
  await vi.waitFor(() => expect(news).toHaveLength(3), { timeout: 10_000 });
  expect(news).toMatchObject([
    { kind: "ready", again: false },
    { kind: "ended", exit: { signal: "SIGKILL" }, againInMs: 20 },
    { kind: "ready", again: true },
  ]);
  expect(await runs()).toHaveLength(2);
});

test("pauses twice as long before each further restart, up to the longest pause", async () => {
  const { part, pauses } = await partOf(READY_AND_CRASH);
  await part.start();
  await vi.waitFor(() => expect(pauses().length).toBeGreaterThanOrEqual(5), { timeout: 10_000 });
  expect(pauses().slice(0, 5)).toEqual([20, 40, 80, 80, 80]);
});

test("pauses as before the first restart when it was healthy in between", async () => {
  const { part, pauses } = await partOf(READY_AND_CRASH, { healthyAfterMs: 0 });
  await part.start();
  await vi.waitFor(() => expect(pauses().length).toBeGreaterThanOrEqual(3), { timeout: 10_000 });
  expect(new Set(pauses())).toEqual(new Set([20]));
});

test("keeps trying when a restart does not get ready", async () => {
  const onlyFirstIsReady = `
    const { length } = require("node:fs").readFileSync(file, "utf8").trim().split("\\n");
    if (length === 1) { ${READY_AND_CRASH} }`;
  const { part, news, pauses } = await partOf(onlyFirstIsReady);
  await part.start();
  await vi.waitFor(() => expect(pauses()).toHaveLength(3), { timeout: 10_000 });
  expect(pauses()).toEqual([20, 40, 80]);
  expect(news.filter((item) => item.kind === "ready")).toHaveLength(1);
});

test("that cannot start once is an error, and is left alone", async () => {
  const { part, news, runs } = await partOf("process.exit(1)");
  await expect(part.start()).rejects.toThrow("script ended before it was ready (exit code 1)");
  expect(news).toEqual([]);
  expect(await runs()).toHaveLength(1);
});

test("is not started again once it was told to stop, not even out of a pause", async () => {
  const { part, pauses, runs } = await partOf(READY_AND_CRASH, { firstPauseMs: 600_000, longestPauseMs: 600_000 });
  await part.start();
  await vi.waitFor(() => expect(pauses()).toHaveLength(1), { timeout: 10_000 });
  await part.stop(1_000);
  expect(await runs()).toHaveLength(1);
});

test("told to stop while it starts, does", async () => {
  const { part, runs } = await partOf("setInterval(() => {}, 1e6);");
  const starting = part.start().catch((error: Error) => error.message);
  await vi.waitFor(runs, { timeout: 10_000 });
  await part.stop(10_000);
  expect(await starting).toBe("script ended before it was ready (killed by SIGTERM)");
});
