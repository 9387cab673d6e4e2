import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openLogFiles } from "./log-files.ts";
import { LIMITS_OF_FOLDER, LIMITS_OF_NAME, removeOldLogFiles, removeSurplus } from "./log-retention.ts";

const SECONDS_OF_DAY = 86_400;
const now = Date.now();

function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "agent-paas-log-retention-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function createFile(directory: string, name: string, ageSeconds: number, bytes = 0): string {
  const path = join(directory, name);
  writeFileSync(path, "x".repeat(bytes));
  utimesSync(path, now / 1_000, now / 1_000 - ageSeconds);
  return path;
}

async function openWriter(directory: string, name: string, markEveryMs?: number): Promise<void> {
  const bytes = Buffer.from("line\n");
  expect(await openLogFiles(directory, name, markEveryMs).append({ bytes, written: 0, state: "queued" })).toBeNull();
}

const names = (numbers: readonly number[]) => numbers.map((number) => `api.${number}.log`).sort();

test("ten files of former processes of a name stay, and those that may be in use", async () => {
  const directory = createDirectory();
  for (let number = 1; number <= 15; number++) createFile(directory, `api.${number}.log`, number === 2 ? 0 : 3_600);
  await openWriter(directory, "api");
  expect(readdirSync(directory).sort()).toEqual(names([2, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]));
});

test("the file of a process that is quiet is marked as used, so no later process of its name removes it", async () => {
  const directory = createDirectory();
  await openWriter(directory, "api", 10);
  const file = join(directory, "api.1.log");
  utimesSync(file, 0, now / 1_000 - 3_600);
  await vi.waitFor(() => expect(now - statSync(file).mtimeMs).toBeLessThan(60_000));
  for (let number = 2; number <= 20; number++) createFile(directory, `api.${number}.log`, 3_600);
  await openWriter(directory, "api");
  removeOldLogFiles(directory, now);
  expect(existsSync(file)).toBe(true);
  expect(readdirSync(directory)).toHaveLength(11);
});

test("a crash loop leaves no more than a hundred files of a name, and those in use are not among the removed", () => {
  const directory = createDirectory();
  const inUse = createFile(directory, "api.1.log", 0);
  // Each was written to within the last two minutes.
  const paths = [inUse];
  for (let start = 2; start <= 300; start++) paths.push(createFile(directory, `api.${start}.log`, 1 + 90 / start));
  removeSurplus(paths, LIMITS_OF_NAME, now);
  expect(readdirSync(directory)).toHaveLength(100);
  expect(existsSync(inUse)).toBe(true);
  expect(existsSync(join(directory, "api.300.log"))).toBe(true);
});

test("files beyond the bytes that may stay go, the oldest first", () => {
  const directory = createDirectory();
  const paths = [1, 2, 3, 4].map((number) => createFile(directory, `api.${number}.log`, 10 - number, 100));
  removeSurplus(paths, { ...LIMITS_OF_NAME, maxBytes: 250 }, now);
  expect(readdirSync(directory).sort()).toEqual(names([3, 4]));
});

test("processes with a new name after each start leave no more than 500 files in the folder", () => {
  const directory = createDirectory();
  for (let start = 0; start < 550; start++) createFile(directory, `worker-${start}.1.log`, 1_000 - start);
  removeOldLogFiles(directory, now);
  expect(readdirSync(directory)).toHaveLength(LIMITS_OF_FOLDER.maxFiles);
  expect(existsSync(join(directory, "worker-549.1.log"))).toBe(true);
});

test("log files that were not used for 14 days are removed, and other files stay", () => {
  const directory = createDirectory();
  createFile(directory, "worker-a.1.log", 15 * SECONDS_OF_DAY);
  createFile(directory, "worker-b.1.log", 13 * SECONDS_OF_DAY);
  createFile(directory, "notes.txt", 99 * SECONDS_OF_DAY);
  removeOldLogFiles(directory, now);
  removeOldLogFiles(join(directory, "missing"), now);
  expect(readdirSync(directory).sort()).toEqual(["notes.txt", "worker-b.1.log"]);
});

test("what cannot be removed, or looked at, keeps no other file from being removed", () => {
  const directory = createDirectory();
  // Before and after the others in any order of names.
  for (const name of ["a.1.log", "z.1.log"]) {
    mkdirSync(join(directory, name));
    utimesSync(join(directory, name), 0, 0);
  }
  createFile(directory, "m.1.log", 15 * SECONDS_OF_DAY);
  removeOldLogFiles(directory, now);
  expect(readdirSync(directory).sort()).toEqual(["a.1.log", "z.1.log"]);
});
