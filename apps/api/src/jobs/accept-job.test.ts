import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { z } from "zod";
import type { AcceptRequest } from "../queue/accept-request.ts";
import type { PendingSession } from "../queue/pending-session.ts";
import { type AcceptJobOrigin, acceptJob, type JobRequest } from "./accept-job.ts";

const REQUEST: JobRequest = {
  kind: "chat",
  agentType: "chat_basic",
  sessionId: null,
  createsSession: false,
  beginsSession: true,
  text: "hello",
  config: {},
  limits: {},
  metadata: {},
  onBusy: "queue",
};

/** Accepts a job of alice with one agent, whose config has an optional `tone`, and with the sessions given. */
async function accept({
  origin = {},
  request = {},
  pending = null,
  isTaken = false,
}: {
  origin?: Partial<AcceptJobOrigin>;
  request?: Partial<JobRequest>;
  pending?: PendingSession | null;
  /** Whether another owner has the session that the request names. */
  isTaken?: boolean;
}) {
  const requests: AcceptRequest[] = [];
  const notes: object[] = [];
  const services = {
    clock: { now: Date.now, newId },
    accept: async (accepted: AcceptRequest) => {
      requests.push(accepted);
      return { isNew: true, jobId: accepted.payload.job_id, sessionId: accepted.payload.session_id };
    },
    agentCatalog: {
      find: async (id: string) => {
        if (id !== "chat_basic") throw new PlatformError("agent_not_found");
        return {
          id,
          description: "",
          config_schema: {},
          tools: [],
          unavailable_tools: [],
          client_tools: false,
          workers: 1,
        };
      },
      configValidator: () => z.strictObject({ tone: z.string().optional() }),
    },
    sessions: {
      find: async () => undefined,
      isTaken: async () => isTaken,
      openTurns: async () => ({ turns: [], isOver: false }),
    },
    sessionQueues: {
      isIdle: async () => true,
      findPending: async (owner: string, id: string) =>
        pending?.owner === owner && pending.id === id ? pending : null,
    },
  };
  const from: AcceptJobOrigin = {
    owner: "alice",
    requestId: "r",
    locale: "en",
    traceparent: undefined,
    note: (fields) => notes.push(fields),
    idempotency: null,
    ...origin,
  };
  const accepted = await acceptJob(services, from, { ...REQUEST, ...request });
  const [only, ...others] = requests;
  if (only === undefined || others.length > 0) throw new Error(`accepted ${requests.length} times`);
  return { accepted, notes, ...only };
}

const pendingSession = (config: Record<string, unknown>): PendingSession => ({
  id: newId(),
  owner: "alice",
  agent_type: "chat_basic",
  config,
  metadata: {},
  created_at: new Date().toISOString(),
});

test("a chat without a session begins one, and its job is marked as the first", async () => {
  const { accepted, payload, newSession, notes } = await accept({ request: { config: { tone: "dry" } } });
  expect(newSession).toMatchObject({ id: payload.session_id, owner: "alice", config: { tone: "dry" } });
  expect(payload).toMatchObject({ owner: "alice", request_id: "r", locale: "en", begins_session: true });
  expect(notes).toEqual([{ job_id: accepted.jobId, kind: "chat", is_new: true }]);
});

test("a session that is the job's alone has the job's id", async () => {
  const { accepted, newSession, payload } = await accept({ request: { isSessionOfJob: true } });
  expect([newSession?.id, payload.session_id]).toEqual([accepted.jobId, accepted.jobId]);
  const without = await accept({ request: { isSessionOfJob: true, beginsSession: false } });
  expect([without.newSession, without.payload.session_id]).toEqual([null, null]);
});

test("the payload carries a traceparent only if the request sent one", async () => {
  const traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  expect((await accept({ origin: { traceparent } })).payload.traceparent).toBe(traceparent);
  expect((await accept({})).payload).not.toHaveProperty("traceparent");
});

test("a later message inherits the config of its session, and overrides it key by key", async () => {
  const pending = pendingSession({ tone: "dry" });
  const inheriting = await accept({ pending, request: { sessionId: pending.id } });
  expect([inheriting.payload.config, inheriting.newSession]).toEqual([{ tone: "dry" }, null]);
  const overriding = await accept({ pending, request: { sessionId: pending.id, config: { tone: "warm" } } });
  expect(overriding.payload.config).toEqual({ tone: "warm" });
});

test("a session that the request names begins with it if there is none, and asks for its turn like any other", async () => {
  const id = newId();
  const { payload, newSession } = await accept({ request: { sessionId: id, createsSession: true } });
  expect([newSession?.id, payload.session_id]).toEqual([id, id]);
  expect(payload).not.toHaveProperty("begins_session");
  const pending = pendingSession({});
  const later = await accept({ pending, request: { sessionId: pending.id, createsSession: true } });
  expect([later.newSession, later.payload.session_id]).toEqual([null, pending.id]);
  await expect(accept({ isTaken: true, request: { sessionId: id, createsSession: true } })).rejects.toMatchObject({
    code: "session_not_found",
  });
});

test("a config that does not fit the agent, an unknown agent and an unknown session are refused", async () => {
  await expect(accept({ request: { config: { tone: 1 } } })).rejects.toMatchObject({ param: "config.tone" });
  await expect(accept({ request: { agentType: "none" } })).rejects.toMatchObject({ code: "agent_not_found" });
  await expect(accept({ request: { sessionId: newId() } })).rejects.toMatchObject({ code: "session_not_found" });
});
