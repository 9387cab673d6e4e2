import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { closeFolderToOthers, closeToOthers } from "./private-files.ts";

function createBase(): string {
  const base = mkdtempSync(join(tmpdir(), "agent-paas-private-"));
  onTestFinished(() => rmSync(base, { recursive: true, force: true }));
  return base;
}

function fileOfMode(path: string, mode: number): string {
  writeFileSync(path, "");
  chmodSync(path, mode);
  return path;
}

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

test.each([
  ["644", "600"],
  ["664", "600"],
  ["666", "600"],
  ["755", "700"],
  ["604", "600"],
  ["440", "440"],
  ["640", "640"],
  ["660", "660"],
  ["600", "600"],
])(
  "a file of mode %s gets mode %s: it is closed if everybody has access, and else left as the operator chose",
  (mode, closed) => {
    const file = fileOfMode(join(createBase(), "file"), Number.parseInt(mode, 8));
    expect(closeToOthers(file)).toBe(true);
    expect(modeOf(file)).toBe(closed);
  },
);

test("a file that is missing counts as closed", () => {
  expect(closeToOthers(join(createBase(), "missing"))).toBe(true);
});

test("a folder is closed with all that is in it, but not what links in it lead to", () => {
  const base = createBase();
  const outside = fileOfMode(join(base, "outside"), 0o644);
  const folder = join(base, "folder");
  mkdirSync(join(folder, "inner"), { recursive: true });
  for (const path of [folder, join(folder, "inner")]) chmodSync(path, 0o755);
  const files = [join(folder, "one"), join(folder, "inner/two")].map((path) => fileOfMode(path, 0o644));
  symlinkSync(outside, join(folder, "link"));
  symlinkSync(folder, join(folder, "inner/loop"));
  expect(closeFolderToOthers(folder)).toEqual([]);
  expect([folder, join(folder, "inner"), ...files, outside].map(modeOf)).toEqual(["700", "700", "600", "600", "644"]);
});
