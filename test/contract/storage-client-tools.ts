/** Calls that wait for their client, and the results that it sends. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import type { OpenTurn } from "../../apps/worker/src/storage/open-turn.ts";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { endedJob, type OpenStorage, openParts } from "./storage-parts.ts";

const openTurn = (...ids: string[]): OpenTurn => ({
  calls: ids.map((call_id) => ({ call_id, name: "look", arguments: "{}" })),
  turn: 1,
  message: {
    role: "assistant",
    content: "",
    toolCalls: ids.map((id) => ({ id, name: "look", arguments: "{}", extra: { signature: "s" } })),
    reasoning: "I must look",
  },
  tools: [{ name: "look", parameters: { type: "object", maximum: 2n ** 53n + 1n } }],
});

const results = (...ids: string[]) => ids.map((call_id) => ({ call_id, content: `seen ${call_id}\0` }));

/** A session whose first job has ended with calls of the client. */
async function openWaiting(open: OpenStorage, ...ids: string[]) {
  const parts = await openParts(open);
  const session_id = newId();
  const chat = (fields: Partial<JobPayload>) => jobPayload({ kind: "chat", session_id, ...fields });
  const run = async (payload: JobPayload, content: string, fields: Parameters<typeof jobEnd>[1] = {}) => {
    await parts.jobs.start(payload, 1);
    await parts.jobs.end(payload, 1, jobEnd(content, fields));
    return payload.job_id;
  };
  const { message } = openTurn(...ids);
  const wholeTurns = [{ turn: 1, messages: [message] }];
  await run(chat({ text: "question" }), "", { openTurn: openTurn(...ids), wholeTurns });
  const refusal = async (jobId: string, ...of: string[]) =>
    (await parts.sessions.openTurn(session_id, jobId, results(...of)))?.refusal?.code ?? null;
  const early = async () => (await parts.sessionReader.openTurns("alice", session_id)).isOver;
  return { ...parts, session_id, chat, run, refusal, early };
}

export function clientToolContract(open: OpenStorage): void {
  test("an open turn is kept as the provider wants it back, with the question before it", async () => {
    const { sessions, session_id, refusal, sessionReader } = await openWaiting(open, "a", "b");
    const found = await sessions.openTurn(session_id, newId(), results("a"));
    expect(found?.rows.map(({ role, content }) => [role, content])).toEqual([
      ["user", "question"],
      ["assistant", ""],
    ]);
    const { message, ...turn } = openTurn("a", "b");
    expect(found?.rows[1]?.open_turn).toMatchObject({ ...turn, tokens: expect.any(Number) });
    expect([...(found?.whole.values() ?? [])].map((turns) => [...turns])).toEqual([[[1, [message]]]]);
    // Histories need nothing of what the provider wants back.
    const [, shown] = await sessions.latestMessages(session_id, newId(), { maxTokens: 1_000, withCalls: true });
    expect(JSON.stringify(shown)).not.toMatch(/I must look|signature/);
    expect([await refusal(newId(), "b", "a"), await refusal(newId(), "a", "c")]).toEqual([null, "tool_call_not_found"]);
    expect((await sessionReader.openTurns("alice", session_id)).turns).toHaveLength(1);
    expect((await sessionReader.openTurns("bob", session_id)).turns).toEqual([]);
    expect(await sessions.openTurn(newId(), newId(), results("a"))).toBeNull();
  });

  test("calls are answered once a job behind them has ended well, and not by one that failed", async () => {
    const { chat, run, refusal, early } = await openWaiting(open, "a");
    const failed = chat({ text: "", tool_results: results("a") });
    const error = { code: "model_unavailable", message: "" };
    await run(failed, "partial", { status: "failed", error });
    expect([await refusal(newId(), "a"), await early()]).toEqual([null, false]);
    const answered = await run(chat({ text: "", tool_results: results("a") }), "answer");
    expect([await refusal(newId(), "a"), await early()]).toEqual(["tool_call_answered", true]);
    // The job itself, when it starts again.
    expect(await refusal(answered, "a")).toBeNull();
    await run(chat({ text: "more" }), "", { openTurn: openTurn("z") });
    expect([await refusal(newId(), "a"), await refusal(newId(), "z")]).toEqual(["tool_call_answered", null]);
  });

  test.each(["cancelled", "failed"] as const)(
    "a %s message between two rounds of calls begins no turn",
    async (status) => {
      const { sessions, session_id, chat, run } = await openWaiting(open, "a");
      await run(chat({ text: "dropped" }), "", { status });
      await run(chat({ text: "", tool_results: results("a") }), "", { openTurn: openTurn("b") });
      const found = await sessions.openTurn(session_id, newId(), results("b"));
      expect(found?.refusal).toBeNull();
      expect(found?.rows.map(({ role, content }) => [role, content])).toEqual([
        ["user", "question"],
        ["assistant", ""],
        ["user", "dropped"],
        ["tool", "seen a\0"],
        ["assistant", ""],
      ]);
    },
  );

  test("a job goes on with what failed jobs have brought, and later histories know whose results were refused", async () => {
    const { sessions, session_id, jobs, chat, run } = await openWaiting(open, "a", "b");
    const calls = [{ id: "f", name: "find", arguments: "{}", result: "found", turn: 1 }];
    await run(chat({ text: "", tool_results: results("a") }), "partial", { status: "failed", calls });
    const next = chat({ text: "", tool_results: results("b") });
    // Cancelled while it waits behind the next job, so its messages are written first.
    const behind = chat({ text: "", tool_results: results("a", "b") });
    await jobs.start(behind, 1, [next.job_id]);
    await jobs.end(behind, 1, jobEnd("", { status: "cancelled" }));
    await jobs.start(next, 1);
    const found = await sessions.openTurn(session_id, next.job_id, results("b"));
    expect([found?.refusal, found?.rows.map(({ content }) => content)]).toEqual([null, ["question", "", "seen a\0"]]);
    await jobs.end(next, 1, jobEnd("answer"));
    const history = await sessions.latestMessages(session_id, newId(), { maxTokens: 1_000, withCalls: true });
    expect(history.filter(({ role }) => role === "tool").map(({ job_status }) => job_status)).toEqual([
      ...["failed", "failed", "completed", "cancelled", "cancelled"],
    ]);
  });

  test("results stand before the question of their job, once, also when it starts again", async () => {
    const { table, jobs, chat } = await openWaiting(open, "a", "b");
    const payload = chat({ text: "and now?", tool_results: results("a", "b") });
    await jobs.start(payload, 1);
    await jobs.start(payload, 2);
    await jobs.end(payload, 2, jobEnd("answer"));
    const rows = await table("messages").orderBy("ordinal");
    expect(rows.map(({ ordinal, role, content }) => [ordinal, role, content])).toEqual([
      [1, "user", "question"],
      [2, "assistant", ""],
      [3, "tool", "seen a\0"],
      [4, "tool", "seen b\0"],
      [5, "user", "and now?"],
      [6, "assistant", "answer"],
    ]);
  });

  test("the calls count in the budget of a history, and go with their results", async () => {
    const { table, sessions, session_id, chat, run } = await openWaiting(open, "a");
    await run(chat({ text: "", tool_results: results("a") }), "answer");
    const rows = await table("messages").orderBy("ordinal");
    const [, asking] = await sessions.latestMessages(session_id, newId(), { maxTokens: 1_000, withCalls: true });
    const all = rows.reduce((sum, { tokens_used }) => sum + tokens_used, asking?.open_turn?.tokens ?? 0);
    const within = async (maxTokens: number, withCalls = true) =>
      (await sessions.latestMessages(session_id, newId(), { maxTokens, withCalls })).map(
        ({ role, open_turn }) => `${role}${open_turn === null ? "" : " calls"}`,
      );
    expect(await within(all)).toEqual(["user", "assistant calls", "tool", "assistant"]);
    // Without its calls the first of the two messages says nothing.
    expect(await within(all - 1)).toEqual(["user", "assistant"]);
    expect(await within(all, false)).toEqual(["user", "assistant"]);
  });

  test("whole turns are kept until their calls are answered, the latest within a bound", async () => {
    const { table, sessions, session_id, chat, run } = await openWaiting(open, "a");
    const turns = (content: string) => [1, 2].map((turn) => ({ turn, messages: [{ role: "user", content } as const] }));
    const large = { openTurn: openTurn("b"), wholeTurns: turns("x".repeat(3 * 1_024 * 1_024)) };
    const jobId = await run(chat({ text: "", tool_results: results("a") }), "", large);
    const kept = async () => (await table("whole_turns").select("job_id")).map(({ job_id }) => job_id);
    expect(await kept()).toHaveLength(2);
    const found = await sessions.openTurn(session_id, newId(), results("b"));
    expect([found?.whole.size, [...(found?.whole.get(jobId)?.keys() ?? [])]]).toEqual([2, [2]]);
    await run(chat({ text: "", tool_results: results("b") }), "", { status: "failed" });
    expect(await kept()).toHaveLength(2);
    await run(chat({ text: "", tool_results: results("b") }), "answer");
    expect(await kept()).toEqual([]);
  });

  test("of a turn of many rounds a job goes on with the latest, and a history has what was said", async () => {
    const { write, table, sessions, session_id, run, chat } = await openWaiting(open, "a");
    const [, asking] = await table("messages").where({ session_id }).orderBy("ordinal");
    const rounds = Array.from({ length: 1_050 }, (_, at) => {
      const job = endedJob({ kind: "chat", session_id });
      const message = { ...asking, job_id: job.id } as MessageRow;
      const metadata = JSON.stringify({ call_id: "a", client: true });
      const result = {
        ...message,
        id: newId(),
        ordinal: 2 * at + 3,
        role: "tool",
        content: `${at}`,
        metadata,
      } as const;
      return [job, { ...result, open_turn: null }, { ...message, id: newId(), ordinal: 2 * at + 4 }] as const;
    });
    for (let at = 0; at < rounds.length; at += 50) {
      const some = rounds.slice(at, at + 50);
      const messages = some.flatMap(([, ...both]) => both);
      await write([
        { query: table("agent_logs").insert(some.map(([job]) => job)) },
        { query: table("messages").insert(messages) },
      ]);
    }
    const found = await sessions.openTurn(session_id, newId(), results("a"));
    expect([found?.refusal, found?.rows.length]).toEqual([null, 2_001]);
    expect([found?.rows[0]?.content, found?.rows.at(-2)?.content]).toEqual(["question", "1049"]);
    await run(chat({ text: "", tool_results: results("a") }), "answer");
    const history = await sessions.latestMessages(session_id, newId(), { maxTokens: 1_000, withCalls: true });
    expect(history.map(({ content }) => content)).toEqual(["question", "answer"]);
  });

  test.each([
    [256, ["question", "tool", "found", "answer", "later"]],
    [2, ["question", "answer", "later"]],
  ])("in a place with room for %i messages stand those that fit", async (room, expected) => {
    const { table, storage, jobs, chat, session_id } = await openWaiting(open, "a");
    const first = chat({ text: "question", tool_results: [{ call_id: "a", content: "tool" }] });
    // Cancelled while it waited: its question is written before all that is ahead of it.
    const later = chat({ text: "later" });
    await jobs.start(later, 1, [first.job_id]);
    await jobs.end(later, 1, jobEnd("", { status: "cancelled" }));
    await storage.write([{ query: table("reserved_ordinals").update({ room }) }]);
    await jobs.start(first, 1);
    const calls = [{ id: "f", name: "find", arguments: "{}", result: "found", turn: 1 }];
    expect(await jobs.end(first, 1, jobEnd("answer", { calls }))).toBe(true);
    const rows = await table("messages").where({ session_id }).where("ordinal", ">", 2).orderBy("ordinal");
    expect(rows.map(({ content }) => content).toSorted()).toEqual(expected.toSorted());
    expect(rows.at(-1)?.content).toBe("later");
    if (room > 2) expect(rows.map(({ content }) => content)).toEqual(["tool", "question", "found", "answer", "later"]);
  });
}
