import { expect, test } from "vitest";
import { newId } from "../ids.ts";
import { decodeOwnerEntry, encodeOwnerEntry, type OwnerEntry } from "./owner-index.ts";

const entry = (fields: Partial<OwnerEntry> = {}): OwnerEntry => ({
  ...{ jobId: newId(), bytes: 12, stored: "nothing", sessionId: null, agentType: "chat_basic" },
  ...fields,
});

test("an entry of an owner index keeps every field, whatever the agent is called", () => {
  for (const stored of ["nothing", "metadata", "other"] as const) {
    const one = entry({ stored, sessionId: newId(), agentType: "an agent - of  mine" });
    expect(decodeOwnerEntry(encodeOwnerEntry(one))).toEqual(one);
  }
  const outside = entry();
  expect(decodeOwnerEntry(encodeOwnerEntry(outside))).toEqual(outside);
});

test("entries of an owner index sort like the ids of their jobs", () => {
  const jobs = Array.from({ length: 50 }, (_, at) => entry({ bytes: 10 ** (at % 7) }));
  const sorted = jobs.map(encodeOwnerEntry).sort().map(decodeOwnerEntry);
  expect(sorted.map(({ jobId }) => jobId)).toEqual(jobs.map(({ jobId }) => jobId).sort());
});
