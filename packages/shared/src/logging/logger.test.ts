import { mkdtemp, open as openFile, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { createProcessLog, type Logger } from "./logger.ts";

const MEGABYTE = 1024 * 1024;

const WRITTEN_WITHIN = { timeout: 20_000 };

async function open(): Promise<{ logger: Logger; directory: string }> {
  const directory = await mkdtemp(join(tmpdir(), "agent-paas-logs-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const { logger } = createProcessLog({
    name: "api",
    level: "info",
    terminalLevel: "silent",
    terminalFormat: "json",
    directory,
    secrets: ["the-exact-secret"],
  });
  return { logger, directory };
}

const readAll = async (directory: string): Promise<string> =>
  (await Promise.all((await readdir(directory)).map((file) => readFile(join(directory, file), "utf8")))).join("");

test("log lines are JSON with the process, the time and the fields of the child logger", async () => {
  const { logger, directory } = await open();
  logger.child({ request_id: "r-1" }).info({ job_id: "j-1" }, "job started");
  const text = await vi.waitFor(async () => {
    const found = await readAll(directory);
    expect(found).toContain("\n");
    return found;
  }, WRITTEN_WITHIN);
  expect(JSON.parse(text)).toMatchObject({ process: "api", request_id: "r-1", job_id: "j-1", msg: "job started" });
  expect(Date.parse(JSON.parse(text).time)).not.toBeNaN();
});

test("an error is logged with name, message and cause, but without other properties and without secrets", async () => {
  const { logger, directory } = await open();
  const cause = Object.assign(new Error("401 Incorrect API key provided: sk-canary-1234567890"), {
    headers: { authorization: "Bearer canary-of-headers" },
    error: { body: "canary-of-body" },
  });
  logger.error({ err: new Error("the-exact-secret leaked", { cause }) }, "failed");
  const text = await vi.waitFor(async () => {
    const found = await readAll(directory);
    expect(found).toContain("failed");
    return found;
  }, WRITTEN_WITHIN);
  expect(text).not.toMatch(/canary|the-exact-secret/);
  expect(JSON.parse(text).err).toMatchObject({ message: "[redacted] leaked", cause: { type: "Error" } });
}, 30_000);

test("log files are rolled at 10 MB, and five of them stay", async () => {
  const { logger, directory } = await open();
  const filler = "x".repeat(100_000);
  const files = async () => (await readdir(directory)).map((file) => join(directory, file));
  const isOnDisk = async (mark: string) => {
    for (const file of await files()) if ((await tailOf(file, 1_000)).includes(mark)) return true;
    return false;
  };
  for (let megabytes = 0; megabytes < 75; megabytes += 3) {
    for (let line = 0; line < 30; line++) logger.info(filler);
    logger.info(`mark-${megabytes};`);
    await vi.waitFor(async () => expect(await isOnDisk(`mark-${megabytes};`)).toBe(true), {
      timeout: 10_000,
      interval: 5,
    });
  }
  await vi.waitFor(async () => expect(await files()).toHaveLength(5), { timeout: 10_000 });
  for (const file of await files()) expect((await stat(file)).size).toBeLessThan(15 * MEGABYTE);
}, 60_000);

async function tailOf(path: string, bytes: number): Promise<string> {
  const file = await openFile(path);
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - bytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, start);
    return buffer.toString("utf8", 0, bytesRead);
  } finally {
    await file.close();
  }
}
