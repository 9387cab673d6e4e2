/** Jobs of the agent `orchestrator`, and what their streams say about the steps of the plan. */
import type { ApiClient, Json } from "./api-client.ts";
import type { SseEvent } from "./sse-client.ts";

type Step = { id: string; agent?: string; task: string; [more: string]: unknown };

/** A plan whose steps run `chat_basic` unless they name another agent. */
export const planOf = (...steps: Step[]) => ({ steps: steps.map((step) => ({ agent: "chat_basic", ...step })) });

export async function startOrchestrator(client: ApiClient, message: string, config: object, more: object = {}) {
  const stream = await client.chat(
    { agent_type: "orchestrator", message, config, ...more },
    { "Accept-Language": "en" },
  );
  return { jobId: stream.jobId, sessionId: stream.sessionId, stream };
}

/** Reads the stream to its end; `job` is what the API then says about the job. */
export async function runOrchestrator(client: ApiClient, message: string, config: object, more: object = {}) {
  const { jobId, sessionId, stream } = await startOrchestrator(client, message, config, more);
  const events = await stream.all();
  const { body: job } = await client.get(`/jobs/${jobId}`);
  return { jobId, sessionId, events, job };
}

/** `status step` of each delegate thought, without those that carry an event of a child. */
export const stepsOf = (events: readonly SseEvent[]) =>
  events
    .filter(({ data }) => data.type === "delegate" && data.status !== "event")
    .map(({ data }) => `${data.status} ${data.step}`);

export const childEvents = (events: readonly SseEvent[], step: string): Json[] =>
  events.filter(({ data }) => data.status === "event" && data.step === step).map(({ data }) => data.event);
