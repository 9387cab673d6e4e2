/**
 * A client that follows the documented contract: it repeats a refused or broken POST with the same Idempotency-Key,
 * reads over SSE and resumes on the next API with Last-Event-ID, or polls. Its transcript holds everything that it
 * received.
 */
import { setTimeout as delay } from "node:timers/promises";
import { MINUTE, SECOND } from "@agent-paas/shared/time.ts";
import { hasEnded, lastIdOf, now, readStream, request } from "./connection.ts";
import type { Question } from "./question.ts";
import type { Connection, Transcript } from "./transcript.ts";

export type JobRequest = {
  readonly question: Question;
  readonly kind: "chat" | "execute";
  readonly reads: "stream" | "poll";
  /** The connections are dropped after these numbers of pieces, one number per connection. */
  readonly cuts: readonly number[];
  /** Index of the API that is used first. */
  readonly api: number;
  readonly conversation?: Transcript["conversation"];
  readonly sessionId?: string;
  /** The job is cancelled this long after its acceptance, ms. */
  readonly cancelAfterMs?: number;
  readonly onAccepted?: (transcript: Transcript) => void;
};

/** Longer than any time that the platform promises, without the outages of a run. */
const PATIENCE_MS = 3 * MINUTE;
const PAUSE_MS = 200;
/** A client gives up a job that no API has known for so long. */
const UNKNOWN_MS = 15 * SECOND;
const POLL_WAIT_S = 5;

/** An API as clients know it. */
export type Api = { readonly name: string; readonly origin: string };

export type Client = { ask(request: JobRequest): Promise<Transcript> };

export function createClient({ apis }: { readonly apis: readonly Api[] }, outageMs = 0): Client {
  async function ask(options: JobRequest): Promise<Transcript> {
    const { question, kind, reads, conversation = null } = options;
    const { label, expected } = question;
    const transcript: Transcript = {
      ...{ label, kind, expected, conversation, acceptedAt: null, jobIds: [], sessionId: null },
      ...{ refusals: 0, rejected: null, connections: [], polled: null, cancelledAt: null },
    };
    const { connections } = transcript;
    const giveUpAt = now() + PATIENCE_MS + outageMs;
    const cuts = [...options.cuts];
    let requests = options.api;
    let cancelling: Promise<void> | undefined;
    let unknownSince: number | null = null;
    const nextApi = () => apis[requests++ % apis.length] as Api;

    /** Repeats the action on the next API until it resolves to true; a broken request counts as false. */
    async function persist(action: () => Promise<boolean>): Promise<void> {
      while (now() < giveUpAt && !(await action().catch(() => false))) await delay(PAUSE_MS);
    }

    function noteAcceptance(headers: Headers): void {
      const jobId = headers.get("x-job-id") ?? "";
      if (!transcript.jobIds.includes(jobId)) transcript.jobIds.push(jobId);
      transcript.sessionId = headers.get("x-session-id");
      transcript.acceptedAt = now();
      if (options.cancelAfterMs !== undefined) cancelling = cancel(jobId, options.cancelAfterMs);
      options.onAccepted?.(transcript);
    }

    /** True once the question is accepted or rejected for good. */
    async function post(): Promise<boolean> {
      const [path, body] = pathAndBody(options);
      const init = { method: "POST", body: JSON.stringify(body), headers: { "Idempotency-Key": label } };
      const response = await open(path, init, 0);
      if (transcript.acceptedAt !== null) return true;
      if (response.status === 503 || response.status === 429) transcript.refusals += 1;
      else transcript.rejected = `${response.status} ${await response.text()}`;
      return transcript.rejected !== null;
    }

    function isGivenUp({ status }: Response): boolean {
      unknownSince = status === 404 ? (unknownSince ?? now()) : null;
      return unknownSince !== null && now() - unknownSince > UNKNOWN_MS;
    }

    async function follow(jobId: string): Promise<boolean> {
      if (hasEnded(connections)) return true;
      const after = lastIdOf(connections);
      const response = await open(`/jobs/${jobId}/events`, { headers: { "Last-Event-ID": String(after) } }, after);
      return hasEnded(connections) || isGivenUp(response);
    }

    async function open(path: string, init: RequestInit, after: number): Promise<Response> {
      const { name, origin } = nextApi();
      const openedAt = now();
      const controller = new AbortController();
      const response = await request(origin, path, init, controller);
      const { status, headers } = response;
      const isStream = headers.get("content-type")?.startsWith("text/event-stream") ?? false;
      if (init.method === "POST" && (status === 202 || isStream)) noteAcceptance(headers);
      if (isStream || transcript.acceptedAt !== null) {
        const connection: Connection = { api: name, after, openedAt, status, chunks: [], closed: "open" };
        connections.push(connection);
        await readStream(response, connection, () => controller.abort(), cuts.shift() ?? Infinity);
      }
      return response;
    }

    async function poll(jobId: string): Promise<boolean> {
      const response = await request(nextApi().origin, `/jobs/${jobId}?wait=${POLL_WAIT_S}`);
      const { status, result, error } = (await response.json()) as JobView;
      if (!["completed", "failed", "cancelled"].includes(status)) return isGivenUp(response);
      transcript.polled = { status, content: result?.content ?? null, errorCode: error?.code ?? null, at: now() };
      return true;
    }

    async function cancel(jobId: string, afterMs: number): Promise<void> {
      await delay(afterMs);
      transcript.cancelledAt = now();
      await persist(async () => {
        const response = await request(nextApi().origin, `/jobs/${jobId}/cancel`, { method: "POST", body: "{}" });
        await response.text();
        return response.ok;
      });
    }

    await persist(post);
    const [jobId] = transcript.jobIds;
    if (jobId !== undefined) await persist(() => (reads === "poll" ? poll(jobId) : follow(jobId)));
    await cancelling;
    return transcript;
  }

  return { ask };
}

type JobView = {
  readonly status: string;
  readonly result: { readonly content: string } | null;
  readonly error: { readonly code: string } | null;
};

function pathAndBody({ question, kind, sessionId }: JobRequest): [path: string, body: object] {
  const { agent, text, config } = question;
  if (kind === "execute") return [`/agents/${agent}/execute`, { task: text, config }];
  return ["/chat/completions", { agent_type: agent, message: text, config, session_id: sessionId ?? null }];
}
