/** Who can read the database and the logs of processes that are started by hand, and where a database cannot be. */
import { chmod, readdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ChildError } from "../../scripts/services/child.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

const STOP_WITHIN_MS = 15_000;
const SHELLS_UMASK = 0o022;

let platform: TestPlatform;
let umask: number;
beforeAll(async () => {
  umask = process.umask(SHELLS_UMASK);
  platform = await startTestPlatform();
});
afterAll(async () => {
  process.umask(umask);
  await platform.stop();
});

const DATABASE_FILES = ["agent-paas.db", "agent-paas.db-shm", "agent-paas.db-wal", "agent-paas.db.migrate-lock"];

/** The modes of the database's files, and of the log files with their folder. */
async function modes(): Promise<{ database: string[]; logs: string[] }> {
  const dir = dirname(platform.databaseFile);
  const logs = (await readdir(platform.logDir)).map((name) => join(platform.logDir, name));
  expect(logs.length).toBeGreaterThan(1);
  const modesOf = (paths: string[]) =>
    Promise.all(paths.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)));
  return {
    database: await modesOf(DATABASE_FILES.map((name) => join(dir, name))),
    logs: await modesOf([platform.logDir, ...logs]),
  };
}

/** Starts the worker again on a database of this mode. */
async function restartOn(mode: number): Promise<void> {
  await Promise.all([...platform.workers, ...platform.apis].map((child) => child.stop(STOP_WITHIN_MS)));
  const dir = dirname(platform.databaseFile);
  const left = (await readdir(dir)).filter((name) => DATABASE_FILES.includes(name));
  for (const name of left) await chmod(join(dir, name), mode);
  await platform.startWorker();
  await platform.startApi();
}

test("API and worker make files for their owner alone, whatever the shell's umask is", async () => {
  await platform.alice.chatWhole("[[text=Hello]] Hello");
  const { database, logs } = await modes();
  expect(database).toEqual(["600", "600", "600", "600"]);
  expect(logs).toEqual(["700", ...Array(logs.length - 1).fill("600")]);
});

test("a worker closes a database that everybody can read, and leaves one that a group may read", async () => {
  await restartOn(0o644);
  expect((await modes()).database).toEqual(["600", "600", "600", "600"]);
  await restartOn(0o640);
  expect((await modes()).database).toEqual(["640", "640", "640", "640"]);
});

test.each(["/proc/nowhere/agent-paas.db", "/proc/nowhere/far/below/agent-paas.db", "/dev/null/agent-paas.db"])(
  "a worker whose database can never be made says so at start and exits: %s",
  async (DATABASE_URL) => {
    const started = platform.startWorker({ DATABASE_URL });
    const error = await started.then(
      () => expect.unreachable("it has started"),
      (failure: unknown) => failure,
    );
    expect(error).toBeInstanceOf(ChildError);
    const { message, lastLines } = error as ChildError;
    expect(message).toContain("exit code 1");
    expect(lastLines.join("\n")).toContain(`DATABASE_URL: ${dirname(DATABASE_URL)} cannot be used`);
  },
);
