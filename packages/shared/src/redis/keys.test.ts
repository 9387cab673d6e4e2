import { expect, test } from "vitest";
import { newId } from "../ids.ts";
import { createRedisKeys, EVENT_SHARDS, shardOf } from "./keys.ts";

const keys = createRedisKeys("ap");
const hashTag = (key: string) => /\{([^}]*)\}/.exec(key)?.[1];

test("keys that one script touches share a slot of Redis Cluster", () => {
  const jobId = newId();
  expect(hashTag(keys.eventLog(jobId))).toBe(hashTag(keys.jobState(jobId)));
  const accepted = [
    keys.idempotency("a", "k"),
    keys.pendingSession("s"),
    keys.sessionQueue("s"),
    keys.queuedJob("chat", jobId),
    keys.payload(jobId),
    keys.upload(jobId),
    keys.ownerIndex("chat", "a"),
    keys.ownerStored("a"),
    keys.ownerBytes,
    keys.places("chat"),
    keys.ownerQueues("chat"),
    keys.slots,
    keys.waitingJobs("chat"),
    keys.delayedJobs("chat"),
    keys.jobMarker("chat"),
    keys.samples,
  ];
  expect(new Set(accepted.map(hashTag))).toEqual(new Set(["ap"]));
});

test("jobs are spread over all event shards", () => {
  const shards = new Set(Array.from({ length: 200 }, () => shardOf(newId())));
  expect(shards.size).toBe(EVENT_SHARDS);
});

test("idempotency records of two owners have different keys, also with separators in owner or key", () => {
  expect(keys.idempotency("a", "b:c")).not.toBe(keys.idempotency("a:b", "c"));
});
