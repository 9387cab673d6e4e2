/**
 * The observation port: typed events on diagnostics channels, one channel per event, `agent-paas:<name>`. Without a
 * subscriber an event costs one look at a flag; a subscriber (metrics, traces) lives outside the code that emits. Node
 * reports what a subscriber throws as an uncaught exception, so subscribers must not throw.
 */
import { type Channel, channel } from "node:diagnostics_channel";
import type { JobKind, TerminalStatus, Usage } from "../contract/jobs.ts";

type JobFacts = {
  readonly job_id: string;
  readonly kind: JobKind;
  readonly agent_type: string;
  readonly owner: string;
  /** W3C Trace Context of the request that made the job, if it sent one. */
  readonly traceparent: string | undefined;
};

export type TelemetryEvents = {
  /** The API has accepted a job. */
  "job.queued": JobFacts;
  /** A worker starts an attempt; `queue_ms` is the time since the job was accepted. */
  "job.started": JobFacts & { readonly attempt: number; readonly queue_ms: number };
  /** The terminal event of a job is published; `ms` is the time of its last run. */
  "job.ended": JobFacts & { readonly status: TerminalStatus; readonly error_code: string | null; readonly ms: number };
  /** The model has answered one request of a job. */
  "model.turn": { readonly job_id: string; readonly usage: Usage; readonly ms: number };
  /** A tool has answered, or failed to. */
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

/** Returns the function that unsubscribes. */
export function observe<Name extends TelemetryEvent>(
  name: Name,
  listener: (event: TelemetryEvents[Name]) => void,
): () => void {
  const onMessage = (event: unknown) => listener(event as TelemetryEvents[Name]);
  const events = channelOf(name);
  events.subscribe(onMessage);
  return () => events.unsubscribe(onMessage);
}
