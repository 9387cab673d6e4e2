import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import { newId } from "@agent-paas/shared/ids.ts";

/** What the API would have queued: an execute job of alice outside any session, with these fields changed. */
export const jobPayload = (fields: Partial<JobPayload> = {}): JobPayload => ({
  job_id: newId(),
  kind: "execute",
  owner: "alice",
  agent_type: "chat_basic",
  session_id: null,
  text: "hello",
  config: {},
  limits: {},
  metadata: {},
  locale: "en",
  request_id: "r",
  accepted_at: new Date().toISOString(),
  ...fields,
});
