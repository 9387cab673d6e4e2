import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { folderProblem } from "./folders.ts";

function createBase(): string {
  const base = mkdtempSync(join(tmpdir(), "agent-paas-folders-"));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  return base;
}

test("a folder is made with those above it, readable by its owner alone", () => {
  const base = createBase();
  expect(folderProblem(join(base, "a/b/c"))).toBeNull();
  expect(["a", "a/b", "a/b/c"].map((path) => statSync(join(base, path)).mode & 0o777)).toEqual([0o700, 0o700, 0o700]);
  expect(folderProblem(join(base, "a/b/c"))).toBeNull();
});

test("a path that is a file, and one that leads through a file, are no folders", () => {
  const file = join(createBase(), "file");
  writeFileSync(file, "");
  expect([file, join(file, "below"), join(file, "far/below")].map(folderProblem)).toEqual(
    Array(3).fill("it, or a part of its path, is a file"),
  );
});

test.each(["/proc/nowhere", "/proc/nowhere/far/below", "/sys/nowhere/below"])(
  "a folder that no system makes is reported and does not hang: %s",
  (path) => {
    // In a process of its own, because a hang blocks its thread.
    const code = `console.log((await import(${JSON.stringify(import.meta.resolve("./folders.ts"))})).folderProblem("${path}"))`;
    const args = ["--input-type=module", "--eval", code];
    expect(execFileSync(process.execPath, args, { timeout: 10_000, encoding: "utf8" })).toMatch(/^E[A-Z]+: .*mkdir/);
  },
);
