import { createRedisKeys } from "@agent-paas/shared/redis/keys.ts";
import type { Redis } from "ioredis";
import { expect, test, vi } from "vitest";
import { createAdmission, isOutOfMemory } from "./admission.ts";

/** Answers INFO memory and the depths of queues alone, and counts how often it is asked. */
function redisWith(info: string, depth = 0) {
  const asked = { times: 0 };
  const redis = {
    llen: async () => depth,
    zcard: async () => 0,
    info: async () => {
      asked.times++;
      return info.replaceAll("\n", "\r\n");
    },
  };
  return { redis: redis as unknown as Redis, asked };
}

const infoOf = (used: number, max: number, policy = "noeviction") =>
  `# Memory\nused_memory:${used}\nmaxmemory:${max}\nmaxmemory_policy:${policy}\n`;

const keys = createRedisKeys("test");

test("no job may wait more while less than a tenth of the memory is left; without a limit there is always room", async () => {
  expect(await createAdmission(redisWith(infoOf(900, 1_000)).redis, keys, 7).room("chat")).toMatchObject({ limit: 7 });
  expect(await createAdmission(redisWith(infoOf(901, 1_000)).redis, keys, 7).room("chat")).toMatchObject({ limit: 0 });
  expect(await createAdmission(redisWith(infoOf(10 ** 12, 0)).redis, keys, 7).room("chat")).toMatchObject({ limit: 7 });
});

test("many requests cost one question", async () => {
  const { redis, asked } = redisWith(infoOf(1, 0));
  const admission = createAdmission(redis, keys, 7);
  await Promise.all(Array.from({ length: 100 }, () => admission.room("chat")));
  await admission.room("chat");
  expect(asked.times).toBe(1);
});

test("jobs need not be counted while less than half of those that may wait do, and few came since the last look", async () => {
  const ample = async (admission: ReturnType<typeof createAdmission>) => (await admission.room("chat")).isAmple;
  const few = createAdmission(redisWith(infoOf(1, 0), 19).redis, keys, 40);
  expect([await ample(few), await ample(few)]).toEqual([true, true]);
  // The third makes it look again, and is counted meanwhile.
  expect(await ample(few)).toBe(false);
  expect((await few.room("execute")).isAmple).toBe(true);
  await vi.waitFor(async () => expect(await ample(few)).toBe(true));
  expect(await ample(createAdmission(redisWith(infoOf(1, 0), 20).redis, keys, 40))).toBe(false);
  expect(await ample(createAdmission(redisWith(infoOf(1, 0)).redis, keys, 19))).toBe(false);
});

test("a Redis that evicts takes no job, and the refusal says why", async () => {
  const admission = createAdmission(redisWith(infoOf(1, 0, "allkeys-lru")).redis, keys, 7);
  await expect(admission.room("chat")).rejects.toMatchObject({
    code: "queue_unavailable",
    message: expect.stringContaining("maxmemory-policy allkeys-lru"),
  });
});

test("knows Redis' refusal from a command and from a script, old and new", () => {
  const texts = [
    "OOM command not allowed when used memory > 'maxmemory'.",
    "OOM command not allowed when used memory > 'maxmemory'. script: 1f, on @user_script:1.",
    "ERR Error running script (call to f_1f): @user_script:1: -OOM command not allowed when used memory > 'maxmemory'.",
  ];
  expect(texts.map((text) => isOutOfMemory(new Error(text)))).toEqual([true, true, true]);
  expect(isOutOfMemory(new Error("ERR no such key"))).toBe(false);
});
