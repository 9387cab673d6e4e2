/** The whole client: one method for each thing that the API does. */
import { type AcceptedChat, JobStream } from "./job-stream.ts";
import { awaitJob, type WaitOptions } from "./jobs.ts";
import { createKnowledge } from "./knowledge.ts";
import {
  type Call,
  type CallOptions,
  type ClientOptions,
  idempotent,
  type JobOptions,
  Transport,
} from "./transport.ts";
import type {
  AcceptedAgentJob,
  AcceptedJob,
  Agent,
  AgentList,
  DecidedJob,
  Health,
  HistoryPage,
  Job,
  JobPage,
  Session,
  SessionPage,
} from "./wire/answers.ts";
import type { JobSteps, Metrics } from "./wire/monitoring.ts";
import type {
  ChatRequest,
  DecisionsRequest,
  ExecuteRequest,
  HistoryQuery,
  JobsQuery,
  SessionsQuery,
} from "./wire/requests.ts";

export type Client = ReturnType<typeof createClient>;

export type Decisions = DecisionsRequest["decisions"];

/** Seconds; or true: until the job has ended. */
export type Wait = true | number;

export type ChatOptions = JobOptions & {
  /** Called once the platform has accepted the message: its job may wait long before the first event. */
  readonly onAccepted?: ((accepted: AcceptedChat) => void) | undefined;
};

/** Throws a `TypeError` if `baseUrl` is no address. */
export function createClient(options: ClientOptions = {}) {
  const transport = new Transport(options);

  const get = <Body>(path: string, { query, ...call }: Omit<Call, "query"> & { readonly query?: object | undefined }) =>
    transport.json<Body>("GET", path, { ...call, query: query as Record<string, string | number> });
  /** True once deleted; false while the platform is still at it. */
  const remove = async (path: string, { signal }: CallOptions): Promise<boolean> =>
    (await transport.call("DELETE", path, { signal })).status === 204;

  async function execute(agentId: string, request: ExecuteRequest, options?: JobOptions): Promise<AcceptedAgentJob>;
  async function execute(
    agentId: string,
    request: ExecuteRequest,
    options: JobOptions & { readonly wait: Wait },
  ): Promise<Job>;
  async function execute(
    agentId: string,
    json: ExecuteRequest,
    { wait, signal, ...key }: JobOptions & { readonly wait?: Wait } = {},
  ): Promise<AcceptedAgentJob | Job> {
    const path = `/agents/${encodeURIComponent(agentId)}/execute`;
    const accepted = await transport.json<AcceptedAgentJob>("POST", path, { json, signal, headers: idempotent(key) });
    if (wait === undefined) return accepted;
    return awaitJob(transport, accepted.job_id, { signal, seconds: wait === true ? undefined : wait });
  }

  return {
    /** Sends a message when the first event is asked for. Leaving the stream cancels nothing. */
    chat: (request: Omit<ChatRequest, "stream">, { signal, onAccepted, ...key }: ChatOptions = {}): JobStream =>
      new JobStream(transport, {
        ...{ path: "/chat/completions", onAccepted },
        call: { json: request, signal, headers: idempotent(key) },
      }),

    /** Starts a job. With `wait`, the job as it is then: look at its `status`. */
    execute,

    /** The events of a job that there is, from the first one or behind `after`. */
    events: (jobId: string, { after = 0, signal }: CallOptions & { readonly after?: number } = {}): JobStream =>
      new JobStream(transport, { jobId: encodeURIComponent(jobId), after, call: { signal } }),

    cancel: (jobId: string, { signal }: CallOptions = {}): Promise<AcceptedJob> =>
      transport.json("POST", `/jobs/${encodeURIComponent(jobId)}/cancel`, { json: {}, signal }),

    /** Decides what a job waits for, all of it or nothing. */
    decide: (jobId: string, decisions: Decisions, { signal }: CallOptions = {}): Promise<DecidedJob> =>
      transport.json("POST", `/jobs/${encodeURIComponent(jobId)}/decisions`, { json: { decisions }, signal }),

    /** The newest messages of a session, oldest first; `before: page.next` gets those before them. */
    history: (
      sessionId: string,
      { signal, ...query }: CallOptions & Omit<HistoryQuery, "session_id"> = {},
    ): Promise<HistoryPage> => get("/chat/history", { signal, query: { ...query, session_id: sessionId } }),

    /** Of a platform that is down as well. */
    health: ({ signal }: CallOptions = {}): Promise<Health> => get("/health", { signal, alsoStatus: 503 }),

    /** Numbers of the whole platform over the last ten minutes. */
    metrics: ({ signal }: CallOptions = {}): Promise<Metrics> => get("/metrics", { signal }),

    agents: {
      list: async ({ signal }: CallOptions = {}): Promise<readonly Agent[]> =>
        (await get<AgentList>("/agents", { signal })).agents,
      get: (id: string, { signal }: CallOptions = {}): Promise<Agent> =>
        get(`/agents/${encodeURIComponent(id)}`, { signal }),
    },

    sessions: {
      list: ({ signal, ...query }: CallOptions & SessionsQuery = {}): Promise<SessionPage> =>
        get("/sessions", { signal, query }),
      get: (id: string, { signal }: CallOptions = {}): Promise<Session> =>
        get(`/sessions/${encodeURIComponent(id)}`, { signal }),
      /** The session as it is then: a platform without a free worker renames it later. */
      rename: (id: string, title: string, { signal }: CallOptions = {}): Promise<Session> =>
        transport.json("PATCH", `/sessions/${encodeURIComponent(id)}`, { json: { title }, signal }),
      delete: (id: string, options: CallOptions = {}): Promise<boolean> =>
        remove(`/sessions/${encodeURIComponent(id)}`, options),
    },

    jobs: {
      list: ({ signal, ...query }: CallOptions & JobsQuery = {}): Promise<JobPage> => get("/jobs", { signal, query }),
      get: (id: string, { signal }: CallOptions = {}): Promise<Job> =>
        get(`/jobs/${encodeURIComponent(id)}`, { signal }),
      /** What it has done so far, step by step. */
      steps: (id: string, { signal }: CallOptions = {}): Promise<JobSteps> =>
        get(`/jobs/${encodeURIComponent(id)}/steps`, { signal }),
      /** Starts a new job with what an execute job was given. */
      rerun: (id: string, { signal, ...key }: JobOptions = {}): Promise<AcceptedAgentJob> =>
        transport.json("POST", `/jobs/${encodeURIComponent(id)}/rerun`, { json: {}, signal, headers: idempotent(key) }),
      /** The job once it has ended. */
      wait: (id: string, options: WaitOptions = {}): Promise<Job> =>
        awaitJob(transport, encodeURIComponent(id), options),
    },

    knowledge: createKnowledge(transport),
  };
}
