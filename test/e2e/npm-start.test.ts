/**
 * `npm start` as a newcomer uses it: it starts all parts, restarts a killed part, stops in order, and keeps its data.
 */
import { execFile } from "node:child_process";
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freePort } from "../../scripts/services/ports.ts";
import { createApiClient } from "../support/api-client.ts";
import { npmStart, stopClean, UP_WITHIN_MS } from "../support/npm-start.ts";
import { findProcess, processTree } from "../support/process-tree.ts";
import { shownText } from "../support/sse-client.ts";
import { settledWithin, waitFor } from "../support/wait-for.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "agent-paas-start-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const start = (port: number, ...args: string[]) => startWith({}, port, ...args);

const startWith = (own: NodeJS.ProcessEnv, port: number, ...args: string[]) =>
  npmStart(dir, own, "--port", String(port), ...args);

/** All files and folders of the two folders that users other than their owner can use in any way. */
async function openToOthers(): Promise<string[]> {
  const found = await Promise.all(
    ["data", "logs"].map(async (name) => {
      const entries = await readdir(join(dir, name), { recursive: true });
      return [join(dir, name), ...entries.map((entry) => join(dir, name, entry))];
    }),
  );
  const modes = await Promise.all(
    found.flat().map(async (path) => [path, ((await lstat(path)).mode & 0o077).toString(8)] as const),
  );
  expect(modes.length).toBeGreaterThan(15);
  return modes.filter(([, mode]) => mode !== "0").map(([path, mode]) => `${path} ${mode}`);
}

test("npm start answers the printed curl line, restarts a killed worker, stops, and finds its data again", async () => {
  const port = await freePort();
  const first = start(port, "--workers", "3");
  await first.up();
  expect(first.output()).toMatch(/worker-3/);

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

  const { body: ingest } = await alice.post("/knowledge/notes/documents", { text: "What others must not read." });
  expect((await alice.ended(ingest.job_id)).status).toBe("completed");
  expect(await openToOthers()).toEqual([]);

  const workers = async () => (await alice.get("/health")).body.checks.workers.live;
  expect(await workers()).toBe(3);
  const victim = await findProcess(await processTree(first.pid), "apps/worker/src/main.ts");
  process.kill(victim ?? 0, "SIGKILL");
  await waitFor("the report of the death", () => first.output().includes("SIGKILL"));
  const second = await waitFor("the restarted worker", async () => {
    const found = await findProcess(await processTree(first.pid), "apps/worker/src/main.ts");
    return found !== victim && found;
  });
  expect(second).toBeGreaterThan(0);
  const unfinished = await alice.execute("[[tokens=60 rate=10]] a job that the stop interrupts");
  await alice.started(unfinished);
  await stopClean(first);

  // A former version left all of this to the umask.
  const left = ["data", "data/agent-paas.db", "data/redis", "data/redis/appendonlydir", "data/chroma", "logs"];
  for (const path of left) await chmod(join(dir, path), (await stat(join(dir, path))).mode | 0o055);
  for (const path of ["data/chroma/chroma.sqlite3", "logs/redis.log"]) await chmod(join(dir, path), 0o644);
  expect(await openToOthers()).toHaveLength(8);

  const again = start(port);
  await again.up();
  expect(await openToOthers()).toEqual([]);
  const messages = await alice.history(chat.sessionId);
  expect(messages.map(({ content }) => content)).toEqual(["remember me", text]);
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

test("a port in use stops npm start with an error that names it, before anything else starts", async () => {
  const blocker = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => blocker.listen(port, "127.0.0.1", resolve));
  const started = start(port);
  expect(await started.exited).toBe(1);
  blocker.close();
  expect(started.output()).toContain(`127.0.0.1:${port}`);
  expect(started.output()).not.toContain("redis");
});

test.each([
  ["DATA_DIR", "/proc/nowhere/data"],
  ["DATA_DIR", "/proc"],
  ["DATA_DIR", "/dev/null/data"],
  ["LOG_DIR", "/proc/nowhere/logs"],
  ["DATABASE_URL", "/proc/nowhere/agent-paas.db"],
])("a place that cannot be made stops npm start with an error that names it: %s=%s", async (setting, path) => {
  const started = startWith({ [setting]: path }, await freePort());
  expect(await settledWithin("the stop", UP_WITHIN_MS, started.exited)).toBe(1);
  expect(started.output()).toMatch(new RegExp(`${setting}: /[^\\n]* cannot be `));
  expect(started.output()).not.toContain("    at ");
});

test("an unknown flag stops npm start with an error that names it", async () => {
  const started = start(await freePort(), "--wrokers", "4");
  expect(await started.exited).toBe(1);
  expect(started.output()).toContain("--wrokers");
});
