import type { RedisMemory } from "@agent-paas/shared/redis/memory.ts";
import { expect, test, vi } from "vitest";
import { type Admission, createAdmission, isOutOfMemory } from "./admission.ts";

const memoryOf = (usedBytes: number, maxBytes: number, policy = "noeviction"): RedisMemory => ({
  usedBytes,
  maxBytes,
  policy,
});

/** An admission over samples that the test sets, and how often one was taken. */
function admissionWith(maxQueuedJobs: number, memory: RedisMemory, depth = 0) {
  const samples = { taken: 0 };
  const admission = createAdmission({
    maxQueuedJobs,
    sample: async () => {
      samples.taken++;
      return { memory, depths: { chat: depth, execute: 0, knowledge: 0 } };
    },
  });
  return { admission, samples };
}

const limitWith = async (memory: RedisMemory) => (await admissionWith(7, memory).admission.capacityFor("chat")).limit;

const hasHeadroom = async (admission: Admission, kind: "chat" | "execute" = "chat") =>
  (await admission.capacityFor(kind)).hasHeadroom;

test("the limit is zero while less than a tenth of the memory is free, if the memory is limited", async () => {
  expect(await limitWith(memoryOf(900, 1_000))).toBe(7);
  expect(await limitWith(memoryOf(901, 1_000))).toBe(0);
  expect(await limitWith(memoryOf(10 ** 12, 0))).toBe(7);
});

test("a hundred requests share one sample", async () => {
  const { admission, samples } = admissionWith(7, memoryOf(1, 0));
  await Promise.all(Array.from({ length: 100 }, () => admission.capacityFor("chat")));
  await admission.capacityFor("chat");
  expect(samples.taken).toBe(1);
});

test("a queue has headroom while it is less than half full and few jobs came since the last sample", async () => {
  const { admission } = admissionWith(40, memoryOf(1, 0), 19);
  expect([await hasHeadroom(admission), await hasHeadroom(admission)]).toEqual([true, true]);
  // The third request starts a new sample, and has no headroom meanwhile.
  expect(await hasHeadroom(admission)).toBe(false);
  expect(await hasHeadroom(admission, "execute")).toBe(true);
  await vi.waitFor(async () => expect(await hasHeadroom(admission)).toBe(true));
});

test("a queue that is half full has no headroom, and a limit below twenty jobs gives none", async () => {
  expect(await hasHeadroom(admissionWith(40, memoryOf(1, 0), 20).admission)).toBe(false);
  expect(await hasHeadroom(admissionWith(19, memoryOf(1, 0)).admission)).toBe(false);
});

test("a queue is full when its waiting and delayed jobs reach the limit", () => {
  const { admission } = admissionWith(7, memoryOf(1, 0));
  expect(admission.isFull({ waiting: 3, delayed: 3 })).toBe(false);
  expect(admission.isFull({ waiting: 3, delayed: 4 })).toBe(true);
});

test("a Redis that evicts takes no job, and the refusal names the policy", async () => {
  const { admission } = admissionWith(7, memoryOf(1, 0, "allkeys-lru"));
  await expect(admission.capacityFor("chat")).rejects.toMatchObject({
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
