/** Messages that leave their session for those of another job. */
import type { JobPayload } from "@agent-paas/shared/contract/jobs.ts";
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { type OpenStorage, openParts } from "./storage-parts.ts";
import { openSession } from "./storage-sessions.ts";

export function replacedContract(open: OpenStorage): void {
  test("a job that replaces others takes their messages out of its session, and no others", async () => {
    const { jobs, sessions, sessionId, jobIds, latest } = await openSession(open, ["one", "two"], ["three", "four"]);
    const elsewhere = jobPayload({ kind: "chat", session_id: newId(), text: "five" });
    await jobs.start(elsewhere, 1);
    const replaces = [jobIds[1] ?? "", elsewhere.job_id, newId()];
    const payload = jobPayload({ kind: "chat", session_id: sessionId, text: "six", replaces });
    // An attempt that died is followed by another.
    for (const fencingToken of [1, 2]) await jobs.start(payload, fencingToken);
    await jobs.end(payload, 2, jobEnd("seven"));
    expect(await latest(1_000)).toEqual(["one", "two", "six", "seven"]);
    const kept = await sessions.latestMessages(elsewhere.session_id ?? "", newId(), { maxTokens: 1_000 });
    expect(kept.map(({ content }) => content)).toEqual(["five"]);
  });

  test.each(["from_ordinal", "behind_job"] as const)(
    "what a job replaces is told by its place (%s): also who came between leaves, and who was accepted later stays",
    async (place) => {
      const { jobs, sessionId, jobIds, latest } = await openSession(open, ["one", "two"], ["three", "four"]);
      const replaced = place === "from_ordinal" ? { from_ordinal: 3 } : { behind_job: jobIds[0] ?? "" };
      const chat = (text: string, fields: Partial<JobPayload> = {}) =>
        jobPayload({ kind: "chat", session_id: sessionId, text, ...fields });
      const edits = ["five", "six"].map((text) => chat(text, { replaced, replaces: [jobIds[1] ?? ""] }));
      const [first, second] = edits as [JobPayload, JobPayload];
      await jobs.start(first, 1);
      const later = chat("later");
      // Cancelled while it waits behind both, so its message is written first.
      await jobs.start(later, 1, [first.job_id, second.job_id]);
      await jobs.end(first, 1, jobEnd("instead"));
      // An attempt that died is followed by another.
      for (const fencingToken of [1, 2]) await jobs.start(second, fencingToken);
      await jobs.end(second, 2, jobEnd("seven"));
      expect(await latest(1_000)).toEqual(["one", "two", "six", "seven", "later"]);
    },
  );

  test("a replaced message leaves the results of the client that its job has brought before it", async () => {
    const { jobs, sessions, sessionReader } = await openParts(open);
    const session_id = newId();
    const chat = (text: string, fields: Partial<JobPayload> = {}) =>
      jobPayload({ kind: "chat", session_id, text, ...fields });
    const calls = [{ call_id: "a", name: "look", arguments: "{}" }];
    const message = {
      role: "assistant",
      content: "",
      toolCalls: [{ id: "a", name: "look", arguments: "{}" }],
    } as const;
    const asking = chat("one");
    await jobs.start(asking, 1);
    await jobs.end(asking, 1, jobEnd("", { openTurn: { calls, turn: 1, message, tools: [] } }));
    const answered = chat("two", { tool_results: [{ call_id: "a", content: "seen" }] });
    await jobs.start(answered, 1);
    await jobs.end(answered, 1, jobEnd("three"));
    const messages = await sessionReader.messages("alice", session_id, { limit: 10, tools: true });
    const { ordinal } = messages.find(({ content }) => content === "two") as MessageRow;
    const edited = chat("four", { replaced: { from_ordinal: ordinal }, replaces: [answered.job_id] });
    await jobs.start(edited, 1);
    await jobs.end(edited, 1, jobEnd("five"));
    const history = await sessions.latestMessages(session_id, newId(), { maxTokens: 1_000, withCalls: true });
    expect(history.map(({ role, content }) => [role, content])).toEqual([
      ["user", "one"],
      ["assistant", ""],
      ["tool", "seen"],
      ["user", "four"],
      ["assistant", "five"],
    ]);
  });
}
