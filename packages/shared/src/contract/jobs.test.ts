import { expect, test } from "vitest";
import { newId } from "../ids.ts";
import { JobPayloadSchema } from "./jobs.ts";
import { resolveLimits } from "./limits.ts";

const PAYLOAD = {
  ...{ job_id: newId(), kind: "chat", owner: "alice", agent_type: "chat_basic", session_id: newId(), text: "Hello" },
  ...{ config: {}, metadata: {}, locale: "en", request_id: "r", accepted_at: new Date().toISOString() },
};

test("a job payload may lack the limits of an older API, and unknown fields of a newer API are ignored", () => {
  expect(JobPayloadSchema.parse(PAYLOAD).limits).toEqual({});
  const newer = { ...PAYLOAD, priority: 1, limits: { max_steps: 2, max_cost: 3 } };
  expect(JobPayloadSchema.parse(newer)).toEqual({ ...PAYLOAD, limits: { max_steps: 2 } });
});

test("the deadline of a request applies up to the deadline of the platform", () => {
  expect([{}, { deadline_ms: 100 }, { deadline_ms: 900 }].map((own) => resolveLimits(own, 500).deadline_ms)).toEqual([
    500, 100, 500,
  ]);
});
