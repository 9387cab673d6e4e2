import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { cpuNs } from "./cpu.ts";
import { residentBytes } from "./memory.ts";
import { cpuOf } from "./usage.ts";

/** Thirty ticks, so that half a tick more or less is little. */
const BURNT_US = 300_000;

test("CPU time from /proc agrees with what the process itself counts", () => {
  const before = { proc: cpuNs(process.pid), own: process.cpuUsage() };
  let own = process.cpuUsage(before.own);
  while (own.user + own.system < BURNT_US) own = process.cpuUsage(before.own);
  const ratio = (cpuNs(process.pid) - before.proc) / 1_000 / (own.user + own.system);
  // A virtual machine that waits for a core counts that in one of them only.
  expect(ratio).toBeGreaterThan(0.6);
  expect(ratio).toBeLessThan(1.6);
});

test("an ended process has no CPU time and no resident memory", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  expect(cpuNs(child.pid ?? 0)).toBeNaN();
  expect(residentBytes(child.pid ?? 0)).toBe(0);
  expect(residentBytes(process.pid)).toBeGreaterThan(0);
});

test("the CPU time of a server with processes of its own counts those that run and those that have ended", async () => {
  // Prints a line when the first child has ended and the second one has begun.
  const burn = "i=0; while [ $i -lt 60000 ]; do i=$((i + 1)); done";
  // A shell gives what it starts with & no input, unless it is told to.
  const second = `sh -c '${burn}; echo burnt; read -r _' <&3 &`;
  const shell = spawn("/bin/sh", ["-c", `exec 3<&0; sh -c '${burn}'; ${second} wait`]);
  try {
    await once(shell.stdout, "data");
    const server = { role: "database", pid: shell.pid ?? 0, hasChildren: true } as const;
    const both = cpuOf([server]).database;
    const alone = cpuNs(shell.pid ?? 0);
    expect(alone).toBeGreaterThan(0);
    expect(both).toBeGreaterThan(alone * 1.3);
  } finally {
    shell.stdin.end();
    shell.kill();
  }
});
