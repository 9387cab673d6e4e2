import type { Redis } from "ioredis";
import { expect, test } from "vitest";
import { createAdmission, isOutOfMemory } from "./admission.ts";

/** Answers INFO memory alone, and counts how often it is asked. */
function redisWith(info: string) {
  const asked = { times: 0 };
  const redis = {
    info: async () => {
      asked.times++;
      return info.replaceAll("\n", "\r\n");
    },
  };
  return { redis: redis as unknown as Redis, asked };
}

const infoOf = (used: number, max: number, policy = "noeviction") =>
  `# Memory\nused_memory:${used}\nmaxmemory:${max}\nmaxmemory_policy:${policy}\n`;

test("no job may wait more while less than a tenth of the memory is left; without a limit there is always room", async () => {
  expect(await createAdmission(redisWith(infoOf(900, 1_000)).redis, 7).limit()).toBe(7);
  expect(await createAdmission(redisWith(infoOf(901, 1_000)).redis, 7).limit()).toBe(0);
  expect(await createAdmission(redisWith(infoOf(10 ** 12, 0)).redis, 7).limit()).toBe(7);
});

test("many requests cost one question", async () => {
  const { redis, asked } = redisWith(infoOf(1, 0));
  const admission = createAdmission(redis, 7);
  await Promise.all(Array.from({ length: 100 }, () => admission.limit()));
  await admission.limit();
  expect(asked.times).toBe(1);
});

test("a Redis that evicts takes no job, and the refusal says why", async () => {
  const admission = createAdmission(redisWith(infoOf(1, 0, "allkeys-lru")).redis, 7);
  await expect(admission.limit()).rejects.toMatchObject({
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
