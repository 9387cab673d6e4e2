import type { RedisMemory } from "@agent-paas/shared/redis/memory.ts";
import { expect, test } from "vitest";
import { createAdmission, isOutOfMemory } from "./admission.ts";

const memoryOf = (usedBytes: number, maxBytes: number, policy = "noeviction"): RedisMemory => ({
  usedBytes,
  maxBytes,
  policy,
});

/** An admission over samples that the test sets, and how often one was taken. */
function admissionWith(maxQueuedJobs: number, memory: RedisMemory) {
  const samples = { taken: 0 };
  const admission = createAdmission({
    maxQueuedJobs,
    sample: async () => {
      samples.taken++;
      return memory;
    },
  });
  return { admission, samples };
}

const limitWith = async (memory: RedisMemory) => (await admissionWith(7, memory).admission.capacity()).limit;

test("the limit is zero while less than a tenth of the memory is free, if the memory is limited", async () => {
  expect(await limitWith(memoryOf(900, 1_000))).toBe(7);
  expect(await limitWith(memoryOf(901, 1_000))).toBe(0);
  expect(await limitWith(memoryOf(10 ** 12, 0))).toBe(7);
});

test("a hundred requests share one sample", async () => {
  const { admission, samples } = admissionWith(7, memoryOf(1, 0));
  await Promise.all(Array.from({ length: 100 }, () => admission.capacity()));
  await admission.capacity();
  expect(samples.taken).toBe(1);
});

test("a queue is full when its waiting and delayed jobs reach the limit", () => {
  const { admission } = admissionWith(7, memoryOf(1, 0));
  expect(admission.isFull({ waiting: 3, delayed: 3 })).toBe(false);
  expect(admission.isFull({ waiting: 3, delayed: 4 })).toBe(true);
});

test("a Redis that evicts takes no job, and the refusal names the policy", async () => {
  const { admission } = admissionWith(7, memoryOf(1, 0, "allkeys-lru"));
  await expect(admission.capacity()).rejects.toMatchObject({
    code: "queue_unavailable",
    message: expect.stringContaining("maxmemory-policy allkeys-lru"),
  });
});

test("an out-of-memory error is recognised from a command and from a script, of old and new versions of Redis", () => {
  const texts = [
    "OOM command not allowed when used memory > 'maxmemory'.",
    "OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:1.",
    "ERR Error running script (call to f_1f): @user_script:1: -OOM command not allowed when used memory > 'maxmemory'.",
  ];
  expect(texts.map((text) => isOutOfMemory(new Error(text)))).toEqual([true, true, true]);
  expect(isOutOfMemory(new Error("ERR no such key"))).toBe(false);
});
