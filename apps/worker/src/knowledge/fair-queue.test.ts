import { expect, test } from "vitest";
import { createFairQueue } from "./fair-queue.ts";

const idle = () => Promise.resolve();

test("owners take turns in the queue of writes, and within an owner the documents do", () => {
  const queue = createFairQueue();
  const served: string[] = [];
  const add = (owner: string, collectionId: string) =>
    queue.add({ owner, collectionId }, async () => {
      served.push(`${owner}/${collectionId}`);
    });
  for (const collectionId of ["1", "2", "3"]) add("alice", collectionId);
  add("bob", "4");
  expect(queue.collections()).toEqual(["1", "4", "2", "3"]);
  while (queue.size > 0) void queue.next(queue.collections()[0] ?? "")?.serve();
  expect(served).toEqual(["alice/1", "bob/4", "alice/2", "alice/3"]);
});

test("a waiting write that is removed is not served, and the first of a collection is served first", () => {
  const queue = createFairQueue();
  const gone = queue.add({ owner: "alice", collectionId: "1" }, idle);
  const kept = async () => undefined;
  queue.add({ owner: "alice", collectionId: "1" }, kept);
  gone.remove();
  gone.remove();
  expect(queue.next("2")).toBeUndefined();
  expect(queue.next("1")?.serve).toBe(kept);
  expect(queue.size).toBe(0);
});
