/**
 * What former versions left in Redis and in their databases, recorded from the running product (record-version.ts): a
 * finished chat and a finished execute job, a chat whose worker was killed, a message behind it, an execute job that
 * waits, and one that was cancelled while it waited.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Redis } from "ioredis";
import { z } from "zod";
import type { PlatformState } from "./platform.ts";

export const FOLDER = join(import.meta.dirname, "../fixtures/former-version");

const Pairs = z.array(z.string());
const EntrySchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("string"), key: z.string(), ttl: z.int(), value: z.string() }),
  z.object({ type: z.literal("hash"), key: z.string(), ttl: z.int(), value: z.record(z.string(), z.string()) }),
  z.object({ type: z.literal("list"), key: z.string(), ttl: z.int(), value: Pairs }),
  z.object({ type: z.literal("set"), key: z.string(), ttl: z.int(), value: Pairs }),
  /** Member and score in turn. */
  z.object({ type: z.literal("zset"), key: z.string(), ttl: z.int(), value: Pairs }),
  z.object({ type: z.literal("stream"), key: z.string(), ttl: z.int(), value: z.array(z.tuple([z.string(), Pairs])) }),
]);
const RecordingSchema = z.object({ ids: z.record(z.string(), z.string()), keys: z.array(EntrySchema) });
export type Entry = z.infer<typeof EntrySchema>;

export const readRecording = async (version: string) => {
  const text = await readFile(join(FOLDER, `${version}.json`), "utf8");
  return { text, ...RecordingSchema.parse(JSON.parse(text)) };
};

/** Restores the recording under the platform's own prefix and in its own file. */
export async function restore(version: string, { redis, prefix, databaseFile }: PlatformState): Promise<void> {
  const { text } = await readRecording(version);
  const { keys } = RecordingSchema.parse(JSON.parse(text.replaceAll("PREFIX", prefix)));
  for (const entry of keys) {
    await write(redis, entry);
    if (entry.ttl > 0) await redis.pexpire(entry.key, entry.ttl);
  }
  (await openFormerTables(version, databaseFile)).close();
}

export async function openFormerTables(version: string, file = ":memory:"): Promise<DatabaseSync> {
  // A dump creates tables in the order of their names, so rows come before what they refer to.
  const database = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  database.exec(await readFile(join(FOLDER, `${version}.sql`), "utf8"));
  return database;
}

/** The schemas by which the version reads payloads. */
export async function readSchemas(version: string) {
  const schemas = JSON.parse(await readFile(join(FOLDER, `${version}.schemas.json`), "utf8"));
  return { payload: z.fromJSONSchema(schemas.payload), queuedPayload: z.fromJSONSchema(schemas.queuedPayload) };
}

async function write(redis: Redis, { key, ...entry }: Entry): Promise<void> {
  switch (entry.type) {
    case "string":
      return void (await redis.set(key, entry.value));
    case "hash":
      return void (await redis.hset(key, entry.value));
    case "list":
      return void (await redis.rpush(key, ...entry.value));
    case "set":
      return void (await redis.sadd(key, ...entry.value));
    case "zset":
      for (let at = 0; at < entry.value.length; at += 2) {
        await redis.zadd(key, entry.value[at + 1] ?? "", entry.value[at] ?? "");
      }
      return;
    case "stream":
      for (const [id, fields] of entry.value) await redis.xadd(key, id, ...fields);
  }
}
