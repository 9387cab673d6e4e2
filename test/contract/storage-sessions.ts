import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { seedSession } from "../support/seed-session.ts";
import { type OpenStorage, openParts } from "./storage-parts.ts";

/** A session of these questions, each with its answer where there is one. */
export async function openSession(open: OpenStorage, ...pairs: readonly (readonly [string, string?])[]) {
  const parts = await openParts(open);
  const sessionId = newId();
  const jobIds: string[] = [];
  for (const [text, answer = ""] of pairs) {
    const payload = jobPayload({ kind: "chat", session_id: sessionId, text });
    jobIds.push(payload.job_id);
    await parts.jobs.start(payload, 1);
    await parts.jobs.end(payload, 1, jobEnd(answer));
  }
  const latest = async (maxTokens: number, jobId = newId()) =>
    (await parts.sessions.latestMessages(sessionId, jobId, { maxTokens })).map(({ content }) => content);
  return { ...parts, sessionId, jobIds, latest };
}

export function sessionContract(open: OpenStorage): void {
  test("history keeps a question and its answer together, the latest first", async () => {
    const { latest } = await openSession(open, ["one two three", "four five six"], ["seven", "eight"], ["nine", "ten"]);
    expect(await latest(1_000)).toEqual(["one two three", "four five six", "seven", "eight", "nine", "ten"]);
    // The first answer would fit, but not together with its question.
    expect(await latest(8)).toEqual(["seven", "eight", "nine", "ten"]);
    expect(await latest(4)).toEqual(["seven", "eight", "nine", "ten"]);
    expect(await latest(3)).toEqual(["nine", "ten"]);
    expect(await latest(1)).toEqual([]);
    expect(await latest(0)).toEqual([]);
  });

  test("history keeps a question without an answer", async () => {
    const { latest } = await openSession(open, ["one", "two"], ["three"], ["four", "five"]);
    expect(await latest(3)).toEqual(["three", "four", "five"]);
  });

  test("history leaves out a question whose answer is larger than the budget, with all messages before it", async () => {
    const large = "word ".repeat(500);
    const before = await openSession(open, ["one", "two"], ["three", large], ["four", "five"]);
    expect(await before.latest(100)).toEqual(["four", "five"]);
    const last = await openSession(open, ["one", "two"], [large, "three"]);
    expect(await last.latest(100)).toEqual([]);
  });

  test("parts of a message are written once, count as tokens, and go with their session or their job", async () => {
    const { jobs, sessions, retention, storage } = await openParts(open);
    const parts: MessagePart[] = [
      { type: "text", text: "Look \u{1f642}" },
      { type: "image_url", image_url: { url: "https://example.com/a.png" } },
    ];
    const [first, second] = [newId(), newId()].map((session_id) =>
      jobPayload({ kind: "chat", session_id, text: "Look", parts }),
    ) as [JobPayload, JobPayload];
    for (const payload of [first, second]) await jobs.start(payload, 1);
    await jobs.start(first, 2);
    const plain = jobPayload({ kind: "chat", session_id: first.session_id, text: "Go" });
    await jobs.start(plain, 1);
    const ids = [plain.job_id, first.job_id, second.job_id];
    expect(await sessions.partsOf(ids)).toEqual(new Map([first, second].map(({ job_id }) => [job_id, parts])));
    expect(await sessions.partsOf([])).toEqual(new Map());
    const [question] = await sessions.latestMessages(first.session_id ?? "", newId(), { maxTokens: 5_000 });
    expect(question).toMatchObject({ content: "Look", tokens_used: expect.toSatisfy((tokens) => tokens > 1_000) });
    await sessions.delete(first.session_id ?? "", "alice");
    await retention.deleteJobs([{ id: second.job_id, kind: "chat", agent_type: "chat_basic" }]);
    expect(await storage.table("message_parts").select()).toEqual([]);
  });

  test("of a history only the newest 16 MiB of parts are read", async () => {
    const { jobs, sessions } = await openParts(open);
    const session_id = newId();
    const large: MessagePart = { type: "file", file: { file_data: "AAAA".repeat(1_750_000) } };
    const ids: string[] = [];
    for (const text of ["one", "two", "three"]) {
      const payload = jobPayload({ kind: "chat", session_id, text, parts: [large] });
      await jobs.start(payload, 1);
      ids.unshift(payload.job_id);
    }
    expect([...(await sessions.partsOf(ids)).keys()].toSorted()).toEqual(ids.slice(0, 2).toSorted());
  });

  test("tool calls stand between a question and its answer, once, and go to the model only with all of their turn", async () => {
    const { table, jobs, sessions, sessionReader } = await openParts(open);
    const payload = jobPayload({ kind: "chat", session_id: newId(), text: "one two" });
    const sessionId = payload.session_id ?? "";
    const calls = ["a", "b"].map((id) => ({ id, name: "find", arguments: "{}", result: `found ${id}\0`, turn: 1 }));
    await jobs.start(payload, 1);
    expect(await jobs.end(payload, 1, jobEnd("three", { calls }))).toBe(true);
    expect(await jobs.end(payload, 1, jobEnd("three", { calls }))).toBe(false);
    const rows = await table("messages").orderBy("ordinal");
    expect(rows.map(({ ordinal, role }) => [ordinal, role])).toEqual([
      ...[
        [1, "user"],
        [2, "tool"],
        [3, "tool"],
        [4, "assistant"],
      ],
    ]);
    const all = rows.reduce((sum, { tokens_used }) => sum + tokens_used, 0);
    const rolesWithin = async (maxTokens: number, withCalls: boolean) =>
      (await sessions.latestMessages(sessionId, newId(), { maxTokens, withCalls })).map(({ role }) => role);
    expect(await rolesWithin(all, true)).toEqual(["user", "tool", "tool", "assistant"]);
    expect(await rolesWithin(all - 1, true)).toEqual(["user", "assistant"]);
    expect(await rolesWithin(all, false)).toEqual(["user", "assistant"]);
    expect(await rolesWithin(2, true)).toEqual([]);
    const [, kept] = await sessions.latestMessages(sessionId, newId(), { maxTokens: all, withCalls: true });
    expect(JSON.parse(kept?.call ?? "")).toEqual({ call_id: "a", name: "find", arguments: "{}", turn: 1 });
    const read = async (tools: boolean) =>
      (await sessionReader.messages("alice", sessionId, { limit: 9, tools })).map(({ role }) => role);
    expect([await read(true), await read(false)]).toEqual([
      ["user", "tool", "tool", "assistant"],
      ["user", "assistant"],
    ]);
  });

  test("the history of a job does not contain its own message", async () => {
    const { latest, jobIds } = await openSession(open, ["one", "two"], ["three"]);
    expect(await latest(100, jobIds[1])).toEqual(["one", "two"]);
  });

  test("history of more than one page of messages has no gap", async () => {
    const { storage, sessions } = await openParts(open);
    const sessionId = await seedSession(storage, "alice", 130);
    const rows = await sessions.latestMessages(sessionId, newId(), { maxTokens: 1_000_000 });
    expect(rows.map(({ ordinal }) => ordinal)).toEqual(Array.from({ length: 260 }, (_, at) => at + 1));
  });

  test("the jobs of a session are found by its owner only", async () => {
    const { sessions, sessionId, jobIds } = await openSession(open, ["one", "two"], ["three"]);
    const found = await sessions.jobsOf(sessionId, "alice");
    expect(found.map(({ id }) => id).sort()).toEqual([...jobIds].sort());
    expect(await sessions.jobsOf(sessionId, "bob")).toEqual([]);
  });

  test("a session has the beginning of its first message as its title, and keeps another one", async () => {
    const { jobs, sessions, sessionReader, sessionId } = await openSession(open, ["one\n two", "three"], ["four"]);
    const titleFor = async (owner: string) => (await sessionReader.find(owner, sessionId))?.title;
    expect(await titleFor("alice")).toBe("one two");
    await sessions.rename(sessionId, "bob", "Mine");
    expect(await titleFor("alice")).toBe("one two");
    await sessions.rename(sessionId, "alice", "Kept");
    await jobs.start(jobPayload({ kind: "chat", session_id: sessionId, text: "five" }), 1);
    expect(await titleFor("alice")).toBe("Kept");
  });

  test("a session that begins without a text gets its title with a later message", async () => {
    const { jobs, sessionReader } = await openParts(open);
    const session_id = newId();
    const parts: MessagePart[] = [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }];
    const titles: unknown[] = [];
    for (const message of [{ text: "", parts }, { text: "What is it?" }]) {
      await jobs.start(jobPayload({ kind: "chat", session_id, ...message }), 1);
      titles.push((await sessionReader.find("alice", session_id))?.title);
    }
    expect(titles).toEqual([null, "What is it?"]);
  });

  test("a session is renamed before its first job has started, and not if another owner has taken its id", async () => {
    const { jobs, sessions, sessionReader, table } = await openParts(open);
    const first = jobPayload({ kind: "chat", session_id: newId(), text: "one", config: { temperature: 0.5 } });
    const { session_id, agent_type, accepted_at: created_at } = first;
    const pending = { agent_type, config: JSON.stringify(first.config), metadata: "{}", created_at };
    await sessions.rename(session_id ?? "", "alice", "Kept", pending);
    await jobs.start(first, 1);
    await sessions.rename(session_id ?? "", "bob", "Taken", pending);
    expect(await table("sessions")).toHaveLength(1);
    expect(await sessionReader.find("alice", session_id ?? "")).toMatchObject({
      ...{ title: "Kept", ...pending },
    });
  });

  test("a session is deleted with its messages and jobs, and by its owner only", async () => {
    const { table, sessions, sessionId } = await openSession(open, ["one", "two"]);
    await sessions.delete(sessionId, "bob");
    expect(await table("messages")).toHaveLength(2);
    await sessions.delete(sessionId, "alice");
    await sessions.delete(sessionId, "alice");
    expect([await table("sessions"), await table("messages"), await table("agent_logs")]).toEqual([[], [], []]);
  });

  test("a job writes nothing into a session that another owner has begun meanwhile", async () => {
    const { table, jobs, sessionId } = await openSession(open, ["one", "two"]);
    const intruder = jobPayload({ kind: "chat", session_id: sessionId, text: "three", owner: "bob" });
    expect(await jobs.start(intruder, 1)).toEqual({ kind: "stale" });
    expect([await table("messages"), await table("agent_logs")].map(({ length }) => length)).toEqual([2, 1]);
  });

  test("the reader finds a session of its owner only", async () => {
    const { sessionReader, sessionId } = await openSession(open, ["one", "two"]);
    expect(await sessionReader.find("alice", sessionId)).toMatchObject({ id: sessionId, owner: "alice" });
    expect(await sessionReader.find("bob", sessionId)).toBeUndefined();
  });

  test("the reader lists sessions in pages, newest first", async () => {
    const { storage, sessionReader } = await openParts(open);
    const ids: string[] = [];
    for (let at = 0; at < 5; at++) ids.unshift(await seedSession(storage, "alice", 1));
    await seedSession(storage, "bob", 1);
    const first = (await sessionReader.list("alice", { limit: 3 })).map(({ id }) => id);
    const second = (await sessionReader.list("alice", { limit: 3, before: first.at(-1) })).map(({ id }) => id);
    expect([first, second]).toEqual([ids.slice(0, 3), ids.slice(3)]);
  });

  test("sessions that clients have named stand in the list by when they began", async () => {
    const { jobs, sessionReader } = await openParts(open);
    const begun = async (session_id: string, accepted_at: string) => {
      await jobs.start(jobPayload({ kind: "chat", session_id, accepted_at }), 1);
      return session_id;
    };
    const [first, second] = ["2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"];
    // Version 4, in the order that is not theirs; the last two began at once.
    const ids = [
      await begun("ffffffff-0000-4000-8000-000000000000", first),
      await begun("00000000-0000-4000-8000-000000000000", second),
      await begun("11111111-0000-4000-8000-000000000000", second),
    ].reverse();
    const list = async (before?: string) =>
      (await sessionReader.list("alice", { limit: 2, before })).map(({ id }) => id);
    expect([await list(), await list(ids[1]), await list(ids[0])]).toEqual([
      ids.slice(0, 2),
      ids.slice(2),
      ids.slice(1),
    ]);
    expect(await sessionReader.list("bob", { limit: 2, before: ids[0] })).toEqual([]);
  });

  test("the reader gives the newest messages in pages, each oldest first, to their owner only", async () => {
    const { storage, sessionReader } = await openParts(open);
    const sessionId = await seedSession(storage, "alice", 3);
    const page = await sessionReader.messages("alice", sessionId, { limit: 4 });
    expect(page.map(({ ordinal }) => ordinal)).toEqual([3, 4, 5, 6]);
    const earlier = await sessionReader.messages("alice", sessionId, { limit: 4, before: page[0]?.id });
    expect(earlier.map(({ ordinal }) => ordinal)).toEqual([1, 2]);
    expect(await sessionReader.messages("bob", sessionId, { limit: 4 })).toEqual([]);
  });
}
