/** The newcomer's way: `npm start` brings everything up, survives the death of a part, stops clean, finds its data again. */
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../scripts/services/ports.ts";
import { createApiClient } from "../support/api-client.ts";
import { findProcess, processTree, stillRunning } from "../support/process-tree.ts";
import { ROOT } from "../support/sources.ts";
import { shownText } from "../support/sse-client.ts";
import { waitFor } from "../support/wait-for.ts";

const UP_WITHIN_MS = 90_000;
const STOPPED_WITHIN_MS = 15_000;

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-start-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function npmStart(port: number, ...args: string[]) {
  // What a newcomer's shell has: no Redis, no Chroma, no model's key.
  const { REDIS_URL, CHROMA_URL, OPENAI_API_KEY, ...env } = process.env;
  const child = spawn("npm", ["start", "--", "--port", String(port), ...args], {
    cwd: ROOT,
    env: { ...env, DATA_DIR: join(dir, "data"), LOG_DIR: join(dir, "logs") },
    detached: true,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (output += chunk));
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const pid = child.pid ?? 0;
  return {
    pid,
    output: () => output,
    exited,
    up: () => waitFor("npm start to be up", () => output.includes("Ctrl-C stops"), UP_WITHIN_MS),
    /** What a terminal does: the signal reaches npm and all of its group. */
    ctrlC: () => process.kill(-pid, "SIGINT"),
  };
}

async function stopClean(started: ReturnType<typeof npmStart>): Promise<void> {
  const pids = await processTree(started.pid);
  expect(pids.length).toBeGreaterThan(6);
  const askedAt = performance.now();
  started.ctrlC();
  expect(await started.exited).toBe(0);
  expect(performance.now() - askedAt).toBeLessThan(STOPPED_WITHIN_MS);
  await waitFor("no process to be left", async () => (await stillRunning(pids)).length === 0);
}

test("it starts, answers the printed curl line, restarts a killed worker, stops, and finds its data again", async () => {
  const port = await freePort();
  const first = npmStart(port, "--workers", "3");
  await first.up();
  expect(first.output()).toMatch(/worker-3/);
  expect(first.output()).toContain("local test model");

  const key = (await readFile(join(dir, "data/api-key"), "utf8")).trim();
  expect((await stat(join(dir, "data/api-key"))).mode & 0o777).toBe(0o600);
  const curl =
    first
      .output()
      .split("\n")
      .find((line) => line.startsWith("curl ")) ?? "";
  expect(curl).toContain(key);
  const { stdout } = await promisify(execFile)("sh", ["-c", curl]);
  expect(stdout).toContain('event: done\ndata: {"session_id":');

  const alice = createApiClient(`http://127.0.0.1:${port}`, key);
  const chat = await alice.chat({ message: "remember me" });
  const text = shownText(await chat.all());

  const workers = async () => (await alice.get("/health")).body.checks.workers.live;
  expect(await workers()).toBe(3);
  const victim = await findProcess(await processTree(first.pid), "apps/worker/src/main.ts");
  process.kill(victim ?? 0, "SIGKILL");
  await waitFor("the death and the restart to be told", () => /killed by SIGKILL/.test(first.output()));
  const second = await waitFor("a successor", async () => {
    const found = await findProcess(await processTree(first.pid), "apps/worker/src/main.ts");
    return found !== victim && found;
  });
  expect(second).toBeGreaterThan(0);
  const unfinished = await alice.execute("[[tokens=60 rate=10]] a job that the stop interrupts");
  await waitFor("the job to run", async () => (await alice.get(`/jobs/${unfinished}`)).body.status === "running");
  await stopClean(first);

  const again = npmStart(port);
  await again.up();
  const history = await alice.get(`/chat/history?session_id=${chat.sessionId}`);
  expect(history.body.messages.map(({ content }: { content: string }) => content)).toEqual(["remember me", text]);
  expect((await readFile(join(dir, "data/api-key"), "utf8")).trim()).toBe(key);
  expect(await alice.ended(unfinished)).toMatchObject({
    status: "completed",
    attempt: 2,
    usage: { output_tokens: 60 },
  });
  const logs = await Promise.all(
    ["api.1.log", "worker-1.1.log"].map((file) => readFile(join(dir, "logs", file), "utf8")),
  );
  expect(logs.join("")).not.toContain(key);
  await stopClean(again);
}, 240_000);

test("a port in use is one clear error before anything else starts", async () => {
  const blocker = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => blocker.listen(port, "127.0.0.1", resolve));
  const started = npmStart(port);
  expect(await started.exited).toBe(1);
  blocker.close();
  expect(started.output()).toMatch(new RegExp(`127\\.0\\.0\\.1:${port}: the port is in use`));
  expect(started.output()).not.toContain("redis");
});

test("a flag that is none is one clear error", async () => {
  const started = npmStart(await freePort(), "--wrokers", "4");
  expect(await started.exited).toBe(1);
  expect(started.output()).toContain("--wrokers");
});
