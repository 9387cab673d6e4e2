import { SECOND } from "@agent-paas/shared/time.ts";
import { expect, onTestFinished, test } from "vitest";
import { createThreadPool, PoolIsBusy, TookTooLong } from "./thread-pool.ts";

const PROGRAM = `
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", (word) => {
    if (word === "loop") for (;;);
    if (word === "exit") process.exit(3);
    if (word === "environment") parentPort.postMessage(JSON.stringify(process.env));
    parentPort.postMessage(word + "!");
  });
  parentPort.postMessage("ready");
`;

function createPool({ maxThreads = 1, withinMs = 10 * SECOND, program = PROGRAM } = {}) {
  const url = new URL(`data:text/javascript,${encodeURIComponent(program)}`);
  const pool = createThreadPool<string, string>({ program: url, maxThreads, withinMs });
  onTestFinished(() => pool.close());
  return pool;
}

test("calls of a pool are answered, more of them than it has threads", async () => {
  const pool = createPool({ maxThreads: 2 });
  const words = Array.from({ length: 50 }, (_, at) => `word ${at}`);
  expect(await Promise.all(words.map((word) => pool.run(word)))).toEqual(words.map((word) => `${word}!`));
});

test("a loop that never yields ends with its time, and the calls behind it are answered", async () => {
  const pool = createPool({ withinMs: 500 });
  const looping = pool.run("loop");
  const behind = pool.run("behind");
  await expect(looping).rejects.toThrow(TookTooLong);
  expect(await behind).toBe("behind!");
});

test("a thread that ends by itself fails its call, and the next call has a new thread", async () => {
  const pool = createPool();
  await expect(pool.run("exit")).rejects.toThrow("has ended by itself");
  expect(await pool.run("next")).toBe("next!");
});

test("a program that does not start fails each call once, and does not start for ever", async () => {
  const pool = createPool({ program: "throw new Error('broken')" });
  const calls = [pool.run("a"), pool.run("b")];
  for (const call of calls) await expect(call).rejects.toThrow("broken");
});

test("a thread sees nothing of the environment of its process", async () => {
  expect(await createPool().run("environment")).toBe("{}");
});

test("a pool that is closed ends what runs and what waits", async () => {
  const pool = createPool();
  const calls = [pool.run("loop"), pool.run("behind")];
  const ends = Promise.all(calls.map((call) => expect(call).rejects.toThrow(PoolIsBusy)));
  await pool.close();
  await ends;
});

test("calls beyond a thousand that wait are refused at once", async () => {
  const pool = createPool();
  const calls = Array.from({ length: 1_000 }, () => pool.run("waits"));
  await expect(pool.run("too many")).rejects.toThrow(PoolIsBusy);
  expect(new Set(await Promise.all(calls))).toEqual(new Set(["waits!"]));
});
