import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ConfigError } from "../config/read-config.ts";
import { assertLogDirectory, openLogFiles } from "./log-files.ts";
import type { Chunk, LogOutput } from "./log-output.ts";
import { removeOldLogFiles } from "./log-retention.ts";

function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "agent-paas-log-files-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function append(output: LogOutput, text: string): Promise<void> {
  const chunk: Chunk = { bytes: Buffer.from(text), written: 0, state: "queued" };
  expect(await output.append(chunk)).toBeNull();
  expect(chunk.written).toBe(chunk.bytes.length);
}

const read = (directory: string, file: string) => readFileSync(join(directory, file), "utf8");

test("processes of one name write to different files, and none removes what another one writes to", async () => {
  const directory = createDirectory();
  const [one, two] = [openLogFiles(directory, "worker"), openLogFiles(directory, "worker")];
  await append(one, "first of one\n");
  await append(two, "first of two\n");
  // Rolls seven times, and keeps five files of its own.
  for (let file = 0; file < 7; file++) await append(one, `${"x".repeat(10 * 1024 * 1024)}\n`);
  await append(two, "second of two\n");
  expect(read(directory, "worker.2.log")).toBe("first of two\nsecond of two\n");
  expect(readdirSync(directory)).toHaveLength(6);
});

test("a name that another name begins with has files of its own", async () => {
  const directory = createDirectory();
  await append(openLogFiles(directory, "worker.1"), "of worker.1\n");
  await append(openLogFiles(directory, "worker"), "of worker\n");
  expect(readdirSync(directory).sort()).toEqual(["worker.1.1.log", "worker.1.log"]);
});

test("a file that is moved away, or a folder that is removed, is replaced at the next line", async () => {
  const directory = createDirectory();
  const output = openLogFiles(directory, "api");
  await append(output, "one\n");
  renameSync(join(directory, "api.1.log"), join(directory, "api.1.log.old"));
  await append(output, "two\n");
  expect(read(directory, "api.1.log")).toBe("two\n");
  rmSync(directory, { recursive: true });
  await append(output, "three\n");
  expect(read(directory, "api.1.log")).toBe("three\n");
});

test("a line of a process that exits before its file is open is written", () => {
  const directory = createDirectory();
  expect(openLogFiles(directory, "api").appendSync(Buffer.from("last\n"))).toBeNull();
  expect(read(directory, "api.1.log")).toBe("last\n");
});

test("only the owner reads log files", async () => {
  const directory = join(createDirectory(), "logs");
  await append(openLogFiles(directory, "api"), "line\n");

  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, "api.1.log")).mode & 0o777).toBe(0o600);
});

test("log files that a former version left for everybody to read are closed, and other files are left alone", () => {
  const directory = createDirectory();
  for (const name of ["api.1.log", "worker-1.20.log", "notes.txt"]) {
    writeFileSync(join(directory, name), "");
    chmodSync(join(directory, name), 0o644);
  }
  removeOldLogFiles(directory, Date.now());
  const modes = ["api.1.log", "worker-1.20.log", "notes.txt"].map(
    (name) => statSync(join(directory, name)).mode & 0o777,
  );
  expect(modes).toEqual([0o600, 0o600, 0o644]);
});

test("a folder for logs is made with its parents, and a file in its place is refused by name", () => {
  const directory = createDirectory();
  assertLogDirectory(join(directory, "a/b"));
  writeFileSync(join(directory, "file"), "");
  for (const path of [join(directory, "file"), join(directory, "file/logs")]) {
    expect(() => assertLogDirectory(path)).toThrow(ConfigError);
    expect(() => assertLogDirectory(path)).toThrow(path);
  }
  expect(() => assertLogDirectory("/proc/agent-paas/logs")).toThrow(ConfigError);
});
