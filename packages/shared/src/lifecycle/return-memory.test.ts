import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const MODULE = JSON.stringify(join(import.meta.dirname, "return-memory.ts"));
const MIB = 1_024 * 1_024;

/** Runs a program in a process of its own, whose heap nobody else fills, and returns the numbers that it prints. */
async function run(program: string): Promise<number[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  return JSON.parse(stdout);
}

const HEAP = "process.memoryUsage().heapTotal";
/** Garbage that has survived the collections of the young generation. */
const BURST = `
  function burst() {
    const kept = Array.from({ length: 40 }, () => Array.from({ length: 10_000 }, (_, at) => ({ at, text: "t" + at })));
    return kept.length;
  }`;

/** Runs until the heap is smaller by 10 MiB than `than`, at most 10 s. */
const RETURNED = `
  async function returned(than) {
    const until = performance.now() + 10_000;
    while (${HEAP} > than - ${10 * MIB} && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    return ${HEAP};
  }`;

test("what a start leaves is returned once the process is idle", async () => {
  const [before = 0, after = 0] = await run(`
    import { returnMemoryWhenIdle } from ${MODULE};
    ${BURST}
    ${RETURNED}
    burst();
    const before = ${HEAP};
    returnMemoryWhenIdle(500);
    console.log(JSON.stringify([before, await returned(before)]));
  `);
  expect(before).toBeGreaterThan(25 * MIB);
  expect(after).toBeLessThan(before - 10 * MIB);
}, 20_000);

test("what a burst leaves is returned once the process is idle, and not while it works", async () => {
  const [busy = 0, idle = 0] = await run(`
    import { returnMemoryWhenIdle } from ${MODULE};
    ${BURST}
    ${RETURNED}
    returnMemoryWhenIdle(500);
    burst();
    // Work of 1.2 s, with room for timers in between.
    for (let round = 0; round < 120; round++) {
      const end = performance.now() + 10;
      while (performance.now() < end);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const busy = ${HEAP};
    console.log(JSON.stringify([busy, await returned(busy)]));
  `);
  expect(busy).toBeGreaterThan(25 * MIB);
  expect(idle).toBeLessThan(busy - 10 * MIB);
}, 20_000);
