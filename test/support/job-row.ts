import type { JobRow } from "@agent-paas/shared/db/rows.ts";

/** The row of a completed chat job of alice outside any session, except for `fields`. */
export const jobRow = (fields: Partial<JobRow> = {}): JobRow => ({
  id: "01a20298-1bff-7650-825d-0907aa114a98",
  owner: "alice",
  kind: "chat",
  agent_type: "chat_basic",
  session_id: null,
  task: "hi",
  status: "completed",
  fencing_token: 1,
  attempts: 1,
  worker: "w",
  result: JSON.stringify({ content: "the whole text" }),
  usage: null,
  error_code: null,
  error_message: null,
  last_seq: 9,
  execution_time_ms: 5,
  created_at: "",
  started_at: "",
  finished_at: "",
  metadata: "{}",
  request: null,
  waited_ms: 0,
  timeline: null,
  ...fields,
});
