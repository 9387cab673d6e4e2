import { expect, test } from "vitest";
import { newId } from "../ids.ts";
import { type JobPayload, JobPayloadSchema, QueuedPayloadSchema } from "./jobs.ts";
import { joinPayload, largeFieldsOf, splitPayload } from "./large-fields.ts";

const payloadWith = (fields: Partial<JobPayload>): JobPayload => ({
  ...{ job_id: newId(), kind: "execute", owner: "alice", agent_type: "a", session_id: null },
  ...{ text: "t", config: {}, limits: {}, metadata: {}, locale: "en", request_id: "r" },
  accepted_at: new Date().toISOString(),
  ...fields,
});

/** As its queue returns it. */
function split(payload: JobPayload) {
  const { data, ...others } = splitPayload(payload);
  return { queued: JSON.parse(data), data, ...others };
}

test("a payload of small fields goes to the queue as it is", () => {
  const payload = payloadWith({ input: { a: 1 } });
  const { queued, large } = split(payload);
  expect(queued).toEqual(payload);
  expect(large.size).toBe(0);
  expect(largeFieldsOf(queued)).toEqual([]);
});

test("every field that a request may make large leaves the queue, and comes back as it was", () => {
  const long = "x".repeat(3_000);
  const payload = payloadWith({ text: long, input: [long], config: { long }, metadata: { long } });
  const { queued, data, large, bytes } = split(payload);
  expect(data.length).toBeLessThan(500);
  expect(bytes).toBe(data.length + [...large.values()].join("").length);
  expect(bytes).toBeGreaterThan(12_000);
  expect(largeFieldsOf(queued)).toEqual(["text", "input", "config", "metadata"]);
  // Lists read it without its large fields; a worker must not run it without them.
  expect(QueuedPayloadSchema.parse(queued)).toMatchObject({ job_id: payload.job_id, text: "", metadata: {} });
  expect(JobPayloadSchema.safeParse(queued).success).toBe(false);
  const joined = joinPayload(queued, Object.fromEntries(large));
  expect(JobPayloadSchema.parse(joined)).toEqual({ ...payload, large_fields: [...large.keys()] });
});

test("data of a queue that is no payload has no large fields", () => {
  for (const data of [null, 1, "text", {}, { large_fields: "text" }]) expect(largeFieldsOf(data)).toEqual([]);
});

test("a field with numbers that the queue would change leaves the queue, and comes back exactly", () => {
  const payload = payloadWith({ input: { id: 12345678901234567890n }, text: "12345678901234567890" });
  const { queued, large } = split(payload);
  expect([...large.keys()]).toEqual(["input"]);
  expect(queued.text).toBe(payload.text);
  expect(joinPayload(queued, Object.fromEntries(large))).toMatchObject({ input: { id: 12345678901234567890n } });
});
