import { setImmediate } from "node:timers/promises";
import { compileCacheEnv } from "@agent-paas/shared/lifecycle/compile-cache.ts";
import { SECOND } from "@agent-paas/shared/time.ts";
import { expect, onTestFinished, test } from "vitest";
import { createThreadPool } from "./thread-pool.ts";
import { OutOfMemory, PoolIsBusy, ThreadFailed, TookTooLong } from "./thread-pool-errors.ts";

const PROGRAM = `
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", (word) => {
    if (word === "loop") for (;;);
    if (word === "exit") process.exit(3);
    if (word === "throw") throw new Error("broken");
    if (word === "fill") for (let all = []; ; ) all = [all, {}];
    if (word === "environment") parentPort.postMessage(JSON.stringify(process.env));
    parentPort.postMessage(word + "!");
  });
  parentPort.postMessage("ready");
`;

const urlOf = (program: string) => new URL(`data:text/javascript,${encodeURIComponent(program)}`);

function createPool({ maxThreads = 1, withinMs = 10 * SECOND, url = urlOf(PROGRAM) } = {}) {
  const pool = createThreadPool<string, string>({ program: url, maxThreads, withinMs });
  onTestFinished(() => pool.close());
  return { ...pool, run: (word: string, owner = "ann", refuse?: () => Error | null) => pool.run(word, owner, refuse) };
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

/** Stands still, as this process does while an agent does not yield. */
function block(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

test("a call that was answered in time is no failure when this process stood still meanwhile", async () => {
  const pool = createPool({ withinMs: 500 });
  await pool.run("first");
  // From here on the timers come before the messages.
  await setImmediate();
  const call = pool.run("in time");
  block(1_000);
  expect(await call).toBe("in time!");
});

test.each(["exit", "throw"])(
  "a thread that ends at the word %s fails its call, and the next has a new one",
  async (word) => {
    const pool = createPool();
    await expect(pool.run(word)).rejects.toThrow(ThreadFailed);
    expect(await pool.run("next")).toBe("next!");
  },
);

test("a call that uses up the memory of its thread is told so, and the next call has a new thread", async () => {
  const pool = createPool({ withinMs: 30 * SECOND });
  await expect(pool.run("fill")).rejects.toThrow(OutOfMemory);
  expect(await pool.run("next")).toBe("next!");
});

test("a program that does not start fails each call once, and does not start for ever", async () => {
  const pool = createPool({ url: urlOf("throw new Error('broken')") });
  const calls = [pool.run("a"), pool.run("b")];
  for (const call of calls) await expect(call).rejects.toThrow(ThreadFailed);
});

test("a thread that the system refuses at once fails its calls, and none of them is left waiting", async () => {
  const url = new URL("https://example.com/no-thread-begins-here.js");
  const pool = createPool({ url, maxThreads: 2 });
  const calls = [pool.run("a"), pool.run("b", "bob")];
  for (const call of calls) await expect(call).rejects.toThrow(ThreadFailed);
});

test("a thread that cannot be replaced fails the calls that wait, outside of any call", async () => {
  const url = urlOf(PROGRAM);
  const pool = createPool({ url });
  await pool.run("first");
  url.href = "https://example.com/no-thread-begins-here.js";
  const calls = [pool.run("exit"), pool.run("behind"), pool.run("behind", "bob")];
  for (const call of calls) await expect(call).rejects.toThrow(ThreadFailed);
  url.href = urlOf(PROGRAM).href;
  expect(await pool.run("next")).toBe("next!");
});

test("what a thread has posted before its end does not count as a reply afterwards", async () => {
  const pool = createPool();
  await pool.run("first");
  const call = expect(pool.run("late")).rejects.toThrow(PoolIsBusy);
  block(300);
  const closed = pool.close();
  await call;
  await closed;
  expect(await pool.run("next")).toBe("next!");
});

test("an owner's first call waits for one of another owner's, not for all that wait", async () => {
  const pool = createPool({ withinMs: 300 });
  await pool.run("first");
  const ended: string[] = [];
  const loops = Array.from({ length: 5 }, () => pool.run("loop").catch(() => ended.push("ann")));
  await pool.run("word", "bob").then(() => ended.push("bob"));
  await Promise.all(loops);
  expect(ended).toEqual(["ann", "bob", "ann", "ann", "ann", "ann"]);
});

test("a call is refused when its turn comes, if there is a reason by then", async () => {
  const pool = createPool({ withinMs: 300 });
  let reason: Error | null = null;
  const loop = pool.run("loop").catch((error: Error) => {
    reason = error;
  });
  const same = Array.from({ length: 50 }, () => expect(pool.run("loop", "ann", () => reason)).rejects.toThrow("more"));
  await loop;
  const behind = await pool.run("behind");
  expect(behind).toBe("behind!");
  await Promise.all(same);
});

test("a thread sees nothing of the environment of its process but where the compile cache is", async () => {
  expect(JSON.parse(await createPool().run("environment"))).toEqual(compileCacheEnv());
});

test("a pool that is closed ends what runs and what waits", async () => {
  const pool = createPool();
  const calls = [pool.run("loop"), pool.run("behind")];
  const ends = Promise.all(calls.map((call) => expect(call).rejects.toThrow(PoolIsBusy)));
  await pool.close();
  await ends;
});

test("beyond a thousand calls that wait, the newest of the owner with most of them gives way", async () => {
  const pool = createPool();
  const calls = Array.from({ length: 1_000 }, () => pool.run("waits"));
  await expect(pool.run("too many")).rejects.toThrow(PoolIsBusy);
  const other = pool.run("other", "bob");
  const ends = await Promise.allSettled(calls);
  expect(await other).toBe("other!");
  const refused = ends.filter(({ status }) => status === "rejected");
  expect(refused).toEqual([expect.objectContaining({ reason: expect.any(PoolIsBusy) })]);
});
