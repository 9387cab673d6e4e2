/** A Redis that answers and refuses writes: its faults are logged once, not with every try, and streams go on after. */
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Server } from "../../scripts/services/server.ts";
import type { Json } from "../support/api-client.ts";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";
import { startPrivateRedis } from "../support/redis.ts";
import { waitFor } from "../support/wait-for.ts";

/** Each of them would be a line. */
const REFUSED_WRITES = 50;

let redis: Server;
let platform: TestPlatform;
beforeAll(async () => {
  redis = await startPrivateRedis();
  platform = await startTestPlatform({ redisUrl: redis.url });
});
afterAll(async () => {
  await platform.stop();
  await redis.stop();
});

const FAULTS = {
  READONLY: {
    // Another Redis may be the master now: the connection looks for it, and sends what was refused again.
    said: "Redis refuses a command; sending it again",
    begin: async () => void (await platform.redis.call("REPLICAOF", "127.0.0.1", "1")),
    end: async () => void (await platform.redis.call("REPLICAOF", "NO", "ONE")),
  },
  MISCONF: {
    said: "queue worker error",
    /** A folder stands where the snapshot goes, and Redis refuses writes because the snapshot failed. */
    async begin() {
      const [, dir = ""] = (await platform.redis.config("GET", "dir")) as string[];
      await mkdir(join(dir, "dump.rdb"));
      await platform.redis.config("SET", "save", "3600 1000000");
      await platform.redis.bgsave();
      await waitFor("the failed snapshot", async () =>
        (await platform.redis.info("persistence")).includes("rdb_last_bgsave_status:err"),
      );
    },
    end: async () => void (await platform.redis.config("SET", "save", "")),
  },
} as const;

/** The warnings and errors of the worker, as text and code. */
async function warnings(): Promise<string[]> {
  const names = (await readdir(platform.logDir)).filter((name) => name.startsWith("worker-1"));
  const texts = await Promise.all(names.map((name) => readFile(join(platform.logDir, name), "utf8")));
  const lines = texts.flatMap((text) => text.split("\n").filter((line) => line.endsWith("}")));
  return lines
    .map((line): Json => JSON.parse(line))
    .filter(({ level }) => level >= 40)
    .map(({ msg, err }) => `${msg}: ${err?.message.split(" ")[0]}`);
}

test.each(["READONLY", "MISCONF"] as const)(
  "a Redis that answers %s is logged once per part of a worker",
  async (code) => {
    const { alice } = platform;
    const earlier = (await warnings()).length;
    const chat = await alice.chat({ message: "[[tokens=200 rate=20]] Go on" });
    const events = chat.events();
    await events.next();
    await FAULTS[code].begin();
    // Either part of the worker may be the first to notice, and its line takes a moment to the file.
    const parts = [`${FAULTS[code].said}: ${code}`, `events could not be written, trying again: ${code}`];
    const said = async () => (await warnings()).slice(earlier).filter((line) => line.endsWith(`: ${code}`));
    await waitFor("a line of each part", async () => {
      const lines = await said();
      return parts.every((line) => lines.includes(line));
    });
    await platform.redis.config("RESETSTAT");
    await waitFor("refused writes", async () => {
      const [, count] =
        new RegExp(`errorstat_${code}:count=(\\d+)`).exec(await platform.redis.info("errorstats")) ?? [];
      return Number(count) >= REFUSED_WRITES;
    });
    const during = await said();
    await FAULTS[code].end();
    expect(during.filter((line, at) => during.indexOf(line) !== at)).toEqual([]);
    expect((await Array.fromAsync(events)).at(-1)).toMatchObject({ event: "done", data: { status: "completed" } });
  },
);

test("a worker starts on a full Redis, and jobs end when there is room", async () => {
  const { alice } = platform;
  await platform.redis.config("SET", "maxmemory", "1");
  await platform.startWorker();
  await platform.redis.config("SET", "maxmemory", "0");
  const jobId = await alice.execute("[[text=Done]] hello");
  expect(await alice.ended(jobId)).toMatchObject({ status: "completed" });
});
