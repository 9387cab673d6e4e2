import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { jobEnd } from "../support/job-end.ts";
import { jobPayload } from "../support/job-payload.ts";
import { collectionRow, endedJob, insertJobs, type OpenStorage, openParts } from "./storage-parts.ts";

/** What clients, models and tools may send. */
const TEXTS: readonly (readonly [what: string, text: string])[] = [
  ["NUL characters", "a\0b\0"],
  ["what stands for NUL in a database that has none", "\ufdd0 \ufdd00 \ufdd01\0\ufdd0"],
  ["noncharacters and the end of the planes", "\uffff\ufffe\u{10ffff}\u{1ffff}"],
  ["quotes, backslashes and marks of parameters", "'\"\\'' $1 ? ?? \\? :name %s E'\\x00'"],
  ["emoji, combining marks and text from right to left", "👩‍👩‍👧 e\u0301 \u202eאבג"],
  ["line breaks of all kinds", "\r\n\n\r\u2028\u2029\v\f\b\u0001"],
  ["a text longer than 300 characters of a name", "x".repeat(70_000)],
];

export function textContract(open: OpenStorage): void {
  test.each(TEXTS)("a job keeps %s in its task, its messages, its error and its names", async (_, text) => {
    const { jobs, table, jobReader, sessionReader } = await openParts(open);
    const payload = jobPayload({ kind: "chat", session_id: newId(), text, owner: text, agent_type: text });
    await jobs.start(payload, 1);
    const error = { code: text, message: text };
    expect(await jobs.end(payload, 1, jobEnd(text, { status: "failed", error }))).toBe(true);
    expect(await jobReader.find(text, payload.job_id)).toMatchObject({
      ...{ task: text, owner: text, agent_type: text, error_code: text, error_message: text },
      result: JSON.stringify({ content: text }),
    });
    const messages = await sessionReader.messages(text, payload.session_id ?? "", { limit: 9 });
    expect(messages.map(({ content }) => content)).toEqual([text, text]);
    expect(await table("agent_logs").where({ owner: text }).whereIn("agent_type", [text]).pluck("id")).toEqual([
      payload.job_id,
    ]);
  });

  test("half a surrogate pair loses no job, and becomes a replacement character", async () => {
    const { jobs, jobReader } = await openParts(open);
    const payload = jobPayload({ text: "a\ud83db\ude00c" });
    await jobs.start(payload, 1);
    expect((await jobReader.find(payload.owner, payload.job_id))?.task).toBe("a\ufffdb\ufffdc");
  });

  test("texts are sorted and compared by their bytes, in whatever language the database is", async () => {
    const { table, write } = await openParts(open);
    const names = ["a", "B", "_", "ä", "Z", "10", "9", "a b", "ab", "A", "", "中"];
    await write([{ query: table("collections").insert(names.map((name) => collectionRow({ name }))) }]);
    const sorted = names.toSorted((one, other) => Buffer.compare(Buffer.from(one), Buffer.from(other)));
    expect(await table("collections").orderBy("name").pluck("name")).toEqual(sorted);
    const below = await table("collections").where("name", "<", "a").orderBy("name").pluck("name");
    expect(below).toEqual(sorted.slice(0, sorted.indexOf("a")));
  });

  test("what is no id is not found, and breaks nothing", async () => {
    const { jobReader, sessionReader, knowledgeReader, jobs, orphanedJobs } = await openParts(open);
    for (const id of ["", "no-uuid", "x".repeat(300), "\0", "01890000-0000-7000-8000-00000000000'"]) {
      expect(await jobReader.find("alice", id)).toBeUndefined();
      expect(await jobReader.list("alice", { limit: 1, before: id, session_id: id })).toEqual([]);
      expect(await sessionReader.messages("alice", id, { limit: 1, before: id })).toEqual([]);
      expect(await knowledgeReader.documents("alice", id, { limit: 1, before: id })).toEqual([]);
      expect([await jobs.isKnown(id), await orphanedJobs.known([id])]).toEqual([false, []]);
    }
  });

  test("numbers beyond 32 bits, counts and sums come back as numbers", async () => {
    const parts = await openParts(open);
    const job = endedJob({ last_seq: 2 ** 52 + 1, execution_time_ms: 2 ** 33, fencing_token: 2 ** 40, attempts: 3e9 });
    await insertJobs(parts, job);
    expect(await parts.jobReader.find("alice", job.id)).toEqual(job);
    const [counted] = await parts.table("agent_logs").count({ jobs: "*" }).sum({ all: "attempts" });
    expect(counted).toEqual({ jobs: 1, all: 3e9 });
  });
}
