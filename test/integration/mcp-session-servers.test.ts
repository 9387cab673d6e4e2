/** MCP servers of which each session has its own: programs as processes, URLs as sessions of the protocol. */
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startHttpMcpServer } from "../fixtures/mcp/http-server.ts";
import { startListed, toolOf } from "../support/mcp-tools.ts";
import { startTestPlatform } from "../support/platform.ts";
import { stillRunning } from "../support/process-tree.ts";
import { ROOT } from "../support/sources.ts";
import { type SseEvent, thoughtsOf } from "../support/sse-client.ts";
import { contextWith } from "../support/tool-context.ts";
import { waitFor } from "../support/wait-for.ts";

const FAULTY = {
  command: process.execPath,
  args: [join(ROOT, "test/fixtures/mcp/faulty-server.ts")],
  scope: "session",
};

type Started = Awaited<ReturnType<typeof startListed>>;
const callFor = ({ tools }: Started, sessionId: string | null, name: string, own: object = {}) =>
  toolOf(tools, name).call({}, contextWith({ sessionId, ...own }));
const pidFor = async (started: Started, sessionId: string | null, own: object = {}) =>
  Number(await callFor(started, sessionId, "pid", own));
const isGone = async (pid: number) => (await stillRunning([pid])).length === 0;

test("each session has a process of its own, which its next calls find again", async () => {
  const started = await startListed(FAULTY);
  const [ann, bob] = [await pidFor(started, "ann"), await pidFor(started, "bob")];
  expect(ann).not.toBe(bob);
  expect(await Promise.all(["ann", "bob"].map((id) => pidFor(started, id)))).toEqual([ann, bob]);
  await started.tools.close();
  expect(await stillRunning([ann, bob])).toEqual([]);
});

test("a server without the setting is one process for all sessions", async () => {
  const started = await startListed({ ...FAULTY, scope: "worker" });
  expect(await pidFor(started, "ann")).toBe(await pidFor(started, "bob"));
});

test("a job without a session has a process until it ends", async () => {
  const started = await startListed(FAULTY);
  const job = new AbortController();
  const own = { jobId: "job", ended: job.signal };
  const pid = await pidFor(started, null, own);
  expect(await pidFor(started, null, own)).toBe(pid);
  expect(await pidFor(started, null, { jobId: "other" })).not.toBe(pid);
  job.abort();
  await waitFor("its end", () => isGone(pid));
});

test("a session's process ends when it was idle", async () => {
  const started = await startListed({ ...FAULTY, idle_seconds: 1 });
  const pid = await pidFor(started, "ann");
  await waitFor("its end", () => isGone(pid));
  expect(await pidFor(started, "ann")).not.toBe(pid);
});

test("above the most sessions the one that is idle for longest gives way; while all are busy, a call fails", async () => {
  const started = await startListed({ ...FAULTY, max_sessions: 2 });
  const [ann, bob] = [await pidFor(started, "ann"), await pidFor(started, "bob")];
  expect(await pidFor(started, "ann")).toBe(ann);
  const carl = await pidFor(started, "carl");
  await waitFor("the end of bob's", () => isGone(bob));
  expect(await pidFor(started, "ann")).toBe(ann);
  const giveUp = new AbortController();
  const busy = ["ann", "carl"].map((id) => callFor(started, id, "hang", { signal: giveUp.signal }));
  for (const each of busy) each.catch(() => {});
  await expect(pidFor(started, "bob")).rejects.toThrow("works for 2 sessions already");
  giveUp.abort(new Error("given up"));
  await Promise.allSettled(busy);
  expect(await pidFor(started, "bob")).not.toBe(bob);
  expect(await stillRunning([ann, carl])).toHaveLength(1);
});

test("a session's process that dies is replaced for its next call, and other sessions go on", async () => {
  const started = await startListed(FAULTY);
  const [ann, bob] = [await pidFor(started, "ann"), await pidFor(started, "bob")];
  await expect(callFor(started, "ann", "die")).rejects.toThrow("was lost during the call");
  expect(await pidFor(started, "ann")).not.toBe(ann);
  expect(await pidFor(started, "bob")).toBe(bob);
});

test("in a platform each session has a process of its own over all its turns", async () => {
  const platform = await startTestPlatform({ env: { MCP_SERVERS: JSON.stringify({ s: FAULTY }) } });
  onTestFinished(() => platform.stop());
  const { alice } = platform;
  await waitFor("the server's tools", async () => {
    const { body } = await alice.get("/agents/tool_basic");
    return body.tools?.includes("s__pid");
  });
  const request = { agent_type: "tool_basic", config: { tools: ["s__pid"] } };
  const pidIn = (events: readonly SseEvent[]) => Number(thoughtsOf(events, "tool_result")[0]?.result);
  const turn = async (sessionId?: unknown) => {
    const session = sessionId === undefined ? {} : { session_id: sessionId };
    const stream = await alice.chat({ ...request, ...session, message: "[[calls=s__pid()]] go" });
    const events = await stream.all();
    return { pid: pidIn(events), sessionId: events.at(-1)?.data.session_id };
  };
  const [ann, bob] = [await turn(), await turn()];
  expect(ann.pid).toBeGreaterThan(0);
  expect(bob.pid).not.toBe(ann.pid);
  for (const { pid, sessionId } of [ann, bob, ann]) expect(await turn(sessionId)).toEqual({ pid, sessionId });
  expect(await stillRunning([ann.pid, bob.pid])).toHaveLength(2);
  await platform.workers[0]?.stop(20_000);
  expect(await stillRunning([ann.pid, bob.pid])).toEqual([]);
});

test("a server at a URL has a session of the protocol for each session", async () => {
  const server = await startHttpMcpServer({ key: "k" });
  onTestFinished(() => server.close());
  const started = await startListed({ url: server.url, headers: { "X-Key": "k" }, scope: "session" });
  for (const id of ["ann", "bob", "ann"]) expect(await callFor(started, id, "echo")).toBe("echoed");
  // One lists the tools.
  expect(server.sessions()).toBe(3);
});
