import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createLogFile } from "./log-file.ts";

test("a log file keeps the last lines in two files of bounded size, also across restarts", async () => {
  const dir = await mkdtemp(join(tmpdir(), "log-test-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, "redis.log");
  for (let line = 0; line < 20; line++) createLogFile(file, 20)(`line ${line + 10}`);
  expect((await readdir(dir)).toSorted()).toEqual(["redis.log", "redis.log.1"]);
  expect(await readFile(`${file}.1`, "utf8")).toBe("line 26\nline 27\n");
  expect(await readFile(file, "utf8")).toBe("line 28\nline 29\n");
});

test("lines that a log file cannot take are dropped and counted, and writing goes on when it can", async () => {
  const dir = await mkdtemp(join(tmpdir(), "log-test-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, "missing", "redis.log");
  const write = createLogFile(file);
  write("one");
  write("two");
  await mkdir(join(dir, "missing"));
  write("three");
  expect(await readFile(file, "utf8")).toBe("(2 lines could not be written)\nthree\n");
});
