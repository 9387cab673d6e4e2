import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { createSupervisedProcess, type RestartTiming, type StateChange } from "./supervised-process.ts";

const TIMING: RestartTiming = { readyWithinMs: 10_000, firstPauseMs: 20, longestPauseMs: 80, healthyAfterMs: 60_000 };

/** A supervised process that appends its process id to a file at the start of each run. */
async function supervise(code: string, timing: Partial<RestartTiming> = {}) {
  const dir = await mkdtemp(join(tmpdir(), "supervised-test-"));
  const file = join(dir, "runs");
  const prelude = `const file = ${JSON.stringify(file)}; require("node:fs").appendFileSync(file, process.pid + "\\n");`;
  const changes: StateChange[] = [];
  const supervised = createSupervisedProcess(
    { name: "script", command: process.execPath, args: ["-e", prelude + code], env: {}, ready: "message" },
    (change) => changes.push(change),
    { ...TIMING, ...timing },
  );
  onTestFinished(async () => {
    await supervised.kill();
    await rm(dir, { recursive: true });
  });
  const runs = async () => (await readFile(file, "utf8")).trim().split("\n").map(Number);
  const pauses = () => changes.flatMap((item) => (item.kind === "ended" ? [item.restartInMs] : []));
  return { supervised, changes, runs, pauses };
}

const READY_AND_LINGER = 'process.send("ready"); setInterval(() => {}, 1e6);';
const READY_AND_CRASH = 'process.send("ready", () => process.exit(7));';

test("a supervised process is restarted after it was killed", async () => {
  const { supervised, changes, runs } = await supervise(READY_AND_LINGER);
  await supervised.start();
  const [first = 0] = await runs();
  process.kill(first, "SIGKILL");
  await vi.waitFor(() => expect(changes).toHaveLength(3), { timeout: 10_000 });
  expect(changes).toMatchObject([
    { kind: "ready", isRestart: false },
    { kind: "ended", exit: { signal: "SIGKILL" }, restartInMs: 20 },
    { kind: "ready", isRestart: true },
  ]);
  expect(await runs()).toHaveLength(2);
});

test("the pause doubles before each further restart, up to the longest pause", async () => {
  const { supervised, pauses } = await supervise(READY_AND_CRASH);
  await supervised.start();
  await vi.waitFor(() => expect(pauses().length).toBeGreaterThanOrEqual(5), { timeout: 10_000 });
  expect(pauses().slice(0, 5)).toEqual([20, 40, 80, 80, 80]);
});

test("the pause is the first one again after a healthy run", async () => {
  const { supervised, pauses } = await supervise(READY_AND_CRASH, { healthyAfterMs: 0 });
  await supervised.start();
  await vi.waitFor(() => expect(pauses().length).toBeGreaterThanOrEqual(3), { timeout: 10_000 });
  expect(new Set(pauses())).toEqual(new Set([20]));
});

test("restarts continue when a restarted run does not become ready", async () => {
  const onlyFirstIsReady = `
    const { length } = require("node:fs").readFileSync(file, "utf8").trim().split("\\n");
    if (length === 1) { ${READY_AND_CRASH} }`;
  const { supervised, changes, pauses } = await supervise(onlyFirstIsReady);
  await supervised.start();
  await vi.waitFor(() => expect(pauses()).toHaveLength(3), { timeout: 10_000 });
  expect(pauses()).toEqual([20, 40, 80]);
  expect(changes.filter(({ kind }) => kind === "ready")).toHaveLength(1);
});

test("a process whose first run does not become ready is an error and is not restarted", async () => {
  const { supervised, changes, runs } = await supervise("process.exit(1)");
  await expect(supervised.start()).rejects.toThrow("script ended before it was ready (exit code 1)");
  expect(changes).toEqual([]);
  expect(await runs()).toHaveLength(1);
});

test("a process that is stopped during a restart pause is not restarted", async () => {
  const { supervised, pauses, runs } = await supervise(READY_AND_CRASH, {
    firstPauseMs: 600_000,
    longestPauseMs: 600_000,
  });
  await supervised.start();
  await vi.waitFor(() => expect(pauses()).toHaveLength(1), { timeout: 10_000 });
  await supervised.stop(1_000);
  expect(await runs()).toHaveLength(1);
});

test("a process that is stopped while it starts ends", async () => {
  const { supervised, runs } = await supervise("setInterval(() => {}, 1e6);");
  const starting = supervised.start().catch((error: Error) => error.message);
  await vi.waitFor(runs, { timeout: 10_000 });
  await supervised.stop(10_000);
  expect(await starting).toBe("script ended before it was ready (killed by SIGTERM)");
});

test("a run is stopped when its successor is ready, and the successor is supervised", async () => {
  const { supervised, changes, runs } = await supervise(READY_AND_LINGER);
  await supervised.start();
  await supervised.replace(10_000);
  const [first = 0, second = 0] = await runs();
  expect(() => process.kill(first, 0)).toThrow("ESRCH");
  expect(changes.map(({ kind }) => kind)).toEqual(["ready", "replaced"]);
  process.kill(second, "SIGKILL");
  await vi.waitFor(async () => expect(await runs()).toHaveLength(3), { timeout: 10_000 });
});

test("a run goes on if its successor does not become ready", async () => {
  const { supervised, changes, runs } = await supervise(`if (process.env.FAIL) process.exit(9); ${READY_AND_LINGER}`);
  await supervised.start();
  await expect(supervised.replace(10_000, { FAIL: "1" })).rejects.toThrow("script ended before it was ready");
  const [first = 0] = await runs();
  expect(process.kill(first, 0)).toBe(true);
  expect(changes.map(({ kind }) => kind)).toEqual(["ready"]);
});

test("a run that crashes while its successor starts is not started again beside it", async () => {
  const { supervised, changes, runs } = await supervise(
    `if (process.env.SLOW) setTimeout(() => process.send("ready"), 300); else process.send("ready");
    setInterval(() => {}, 1e6);`,
    { firstPauseMs: 60_000, longestPauseMs: 60_000 },
  );
  await supervised.start();
  const replaced = supervised.replace(10_000, { SLOW: "1" });
  const [first = 0] = await runs();
  process.kill(first, "SIGKILL");
  await replaced;
  expect(changes.map(({ kind }) => kind)).toEqual(["ready", "ended", "replaced"]);
  expect(await runs()).toHaveLength(2);
});

test("a stop during a replacement ends both runs", async () => {
  const { supervised, runs } = await supervise(
    `if (!process.env.SLOW) process.send("ready"); setInterval(() => {}, 1e6);`,
  );
  await supervised.start();
  const replaced = supervised.replace(10_000, { SLOW: "1" });
  await Promise.all([expect(replaced).rejects.toThrow("before it was ready"), supervised.stop(10_000)]);
  for (const pid of await runs()) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});
