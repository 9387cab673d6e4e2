/**
 * The port for metrics and traces: typed telemetry events, each on the diagnostics channel `agent-paas:<name>`.
 * Without a subscriber an event costs one check of a flag. Subscribers must not throw: Node reports their errors as
 * uncaught exceptions.
 */
import { type Channel, channel } from "node:diagnostics_channel";
import type { JobKind, TerminalStatus, Usage } from "../contract/jobs.ts";

type JobFacts = {
  readonly job_id: string;
  readonly kind: JobKind;
  readonly agent_type: string;
  readonly owner: string;
  /** W3C Trace Context of the request that created the job, if the request had one. */
  readonly traceparent: string | undefined;
};

export type TelemetryEvents = {
  /** The API has accepted a job. */
  "job.queued": JobFacts;
  /** A worker starts an attempt. `queue_ms` is the time since the API accepted the job. */
  "job.started": JobFacts & { readonly attempt: number; readonly queue_ms: number };
  /** An attempt has ended with so many inquiries: the job waits for people. */
  "job.suspended": JobFacts & { readonly inquiries: number };
  /** All that a suspended job asked is decided, and it is queued again. `waited_ms` is the time since it asked. */
  "job.resumed": JobFacts & { readonly waited_ms: number };
  /** The terminal event of a job is published, perhaps again after a crash. `ms` is the duration of its last run. */
  "job.ended": JobFacts & { readonly status: TerminalStatus; readonly error_code: string | null; readonly ms: number };
  /** A model turn has ended. `ms` is its duration; `usage` names the model that answered. */
  "model.turn": { readonly job_id: string; readonly usage: Usage; readonly ms: number };
  /** A tool call has ended: `ok`, `error`, `in_doubt`, `replayed` from the journal, or `rejected` with the run. */
  "tool.call": { readonly job_id: string; readonly tool: string; readonly status: string; readonly ms: number };
};

export type TelemetryEvent = keyof TelemetryEvents;

const channels = new Map<TelemetryEvent, Channel>();

function channelOf(name: TelemetryEvent): Channel {
  let known = channels.get(name);
  if (known === undefined) {
    known = channel(`agent-paas:${name}`);
    channels.set(name, known);
  }
  return known;
}

export function emit<Name extends TelemetryEvent>(name: Name, event: TelemetryEvents[Name]): void {
  const events = channelOf(name);
  if (events.hasSubscribers) events.publish(event);
}

/** Subscribes to one event; returns the function that unsubscribes. */
export function observe<Name extends TelemetryEvent>(
  name: Name,
  listener: (event: TelemetryEvents[Name]) => void,
): () => void {
  const onMessage = (event: unknown) => listener(event as TelemetryEvents[Name]);
  const events = channelOf(name);
  events.subscribe(onMessage);
  return () => events.unsubscribe(onMessage);
}
