import { expect, test } from "vitest";
import { newId } from "../ids.ts";
import { JobPayloadSchema } from "./jobs.ts";
import { resolveLimits } from "./limits.ts";

const PAYLOAD = {
  ...{ job_id: newId(), kind: "chat", owner: "alice", agent_type: "chat_basic", session_id: newId(), text: "Hello" },
  ...{ config: {}, metadata: {}, locale: "en", request_id: "r", accepted_at: new Date().toISOString() },
};

test("a worker takes what an older API accepted, and passes over what a newer one adds", () => {
  expect(JobPayloadSchema.parse(PAYLOAD).limits).toEqual({});
  const newer = { ...PAYLOAD, priority: 1, limits: { max_steps: 2, max_cost: 3 } };
  expect(JobPayloadSchema.parse(newer)).toEqual({ ...PAYLOAD, limits: { max_steps: 2 } });
});

test("a job's own deadline holds up to the platform's", () => {
  expect([{}, { deadline_ms: 100 }, { deadline_ms: 900 }].map((own) => resolveLimits(own, 500).deadline_ms)).toEqual([
    500, 100, 500,
  ]);
});
