import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { cpuNs } from "./cpu.ts";
import { residentBytes } from "./memory.ts";

test("CPU time from /proc agrees with what the process itself counts", () => {
  const before = { proc: cpuNs(process.pid), own: process.cpuUsage() };
  const endAt = performance.now() + 300;
  while (performance.now() < endAt);
  const own = process.cpuUsage(before.own);
  const ratio = (cpuNs(process.pid) - before.proc) / 1_000 / (own.user + own.system);
  expect(ratio).toBeGreaterThan(0.8);
  expect(ratio).toBeLessThan(1.2);
});

test("an ended process has no CPU time and no resident memory", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  expect(cpuNs(child.pid ?? 0)).toBeNaN();
  expect(residentBytes(child.pid ?? 0)).toBe(0);
  expect(residentBytes(process.pid)).toBeGreaterThan(0);
});
