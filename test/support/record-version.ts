/**
 * Records what a former version leaves in Redis and in its database when all its processes end: a finished chat and a
 * finished execute job, a chat whose worker was killed, a message behind it, an execute job that waits, and one that
 * was cancelled while it waited; with them, the schemas by which that version reads payloads.
 *
 *     npm run record-version -- CHECKOUT NAME
 *
 * CHECKOUT is a clone of the former version with its packages installed; its own processes and its own tests' support
 * are used, and nothing of this version but the Redis.
 */
import { writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Redis } from "ioredis";
import { type Entry, FOLDER } from "./former-version.ts";
import { startPrivateRedis } from "./redis.ts";
import { waitFor } from "./wait-for.ts";

const [checkout, name] = process.argv.slice(2);
if (checkout === undefined || name === undefined) {
  console.error("usage: npm run record-version -- CHECKOUT NAME");
  process.exit(2);
}
const from = (path: string): string => join(resolve(checkout), path);

const { startTestPlatform }: typeof import("./platform.ts") = await import(from("test/support/platform.ts"));
const redisServer = await startPrivateRedis();
const platform = await startTestPlatform({ redisUrl: redisServer.url });
try {
  const { alice, redis, databaseFile, workers, apis } = platform;
  const { body: done } = await alice.chatWhole("[[text=A]] first");
  const finishedExecute = await alice.execute("finished task", {}, "tool_basic");
  await alice.ended(finishedExecute);
  const stream = await alice.chat({ message: "[[tokens=400 rate=40]] long" });
  await waitFor("some text", async () => {
    const [last] = await redis.xrevrange(platform.keys.eventLog(stream.jobId), "+", "-", "COUNT", 1);
    return Number(last?.[0].split("-")[0]) > 60;
  });
  await workers[0]?.kill();
  const { jobId: interrupted, sessionId: session } = stream;
  const follows = await alice.chat({ message: "[[text=B]] behind it", session_id: session });
  const waiting = await alice.execute("[[text=C]] waiting task");
  const cancelled = await alice.execute("cancelled task");
  await alice.cancel(cancelled);
  await Promise.all(apis.map((api) => api.stop(10_000)));
  const ids = {
    ...{ done: done.job_id, doneSession: done.session_id, finishedExecute, interrupted, session },
    ...{ follows: follows.jobId, waiting, cancelled },
  };
  const prefix = platform.keys.bullmq.slice(1, -1);
  const keys = await dumpRedis(redis, prefix);
  const json = JSON.stringify({ ids, keys }, null, 2).replaceAll(prefix, "PREFIX");
  await writeFile(join(FOLDER, `${name}.json`), `${json}\n`);
  await writeFile(join(FOLDER, `${name}.sql`), dumpDatabase(databaseFile));
  await writeFile(join(FOLDER, `${name}.schemas.json`), `${JSON.stringify(await dumpSchemas(), null, 2)}\n`);
} finally {
  await platform.stop();
  await redisServer.stop();
}

async function dumpRedis(redis: Redis, prefix: string): Promise<Entry[]> {
  const names = (await Array.fromAsync(redis.scanStream({ match: `{${prefix}*`, count: 1_000 }))) as string[][];
  const entries: Entry[] = [];
  for (const key of [...new Set(names.flat())].sort()) {
    entries.push({ key, ttl: await redis.pttl(key), ...(await contentOf(redis, key)) } as Entry);
  }
  return entries;
}

async function contentOf(redis: Redis, key: string): Promise<Pick<Entry, "type" | "value">> {
  const type = await redis.type(key);
  switch (type) {
    case "string":
      return { type, value: (await redis.get(key)) ?? "" };
    case "hash":
      return { type, value: await redis.hgetall(key) };
    case "list":
      return { type, value: await redis.lrange(key, 0, -1) };
    case "set":
      return { type, value: await redis.smembers(key) };
    case "zset":
      return { type, value: await redis.zrange(key, 0, -1, "WITHSCORES") };
    case "stream":
      return { type, value: await redis.xrange(key, "-", "+") };
    default:
      throw new Error(`${key} has the type ${type}`);
  }
}

function dumpDatabase(file: string): string {
  const db = new DatabaseSync(file, { readOnly: true });
  const objects = db
    .prepare("select name, type, sql from sqlite_master where sql is not null order by type desc")
    .all();
  const tables = objects.filter(({ type, name: table }) => type === "table" && table !== "sqlite_sequence");
  const rows = tables.flatMap(({ name: table }) =>
    db
      .prepare(`select * from \`${table}\``)
      .all()
      .map((row) => `INSERT INTO \`${table}\` VALUES(${Object.values(row).map(literal).join(",")});`),
  );
  db.close();
  const others = objects.filter((object) => !tables.includes(object) && object.type !== "table");
  const create = ({ sql }: { readonly sql?: unknown }) => `${sql};`;
  const lines = ["BEGIN TRANSACTION;", ...tables.map(create), ...rows, ...others.map(create), "COMMIT;"];
  return `${lines.join("\n")}\n`;
}

function literal(value: unknown): string {
  if (value === null) return "NULL";
  return typeof value === "string" ? `'${value.replaceAll("'", "''")}'` : String(value);
}

/** What that version accepts; its schemas ignore fields that they do not name. */
async function dumpSchemas(): Promise<object> {
  const contract: typeof import("@agent-paas/shared/contract/jobs.ts") = await import(
    from("packages/shared/src/contract/jobs.ts")
  );
  const { z } = createRequire(from("packages/shared/package.json"))("zod") as typeof import("zod");
  const schemaOf = (schema: import("zod").ZodType) => z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return { payload: schemaOf(contract.JobPayloadSchema), queuedPayload: schemaOf(contract.QueuedPayloadSchema) };
}
