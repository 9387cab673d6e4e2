import { decodeEvents } from "@agent-paas/shared/contract/events.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { expect, test } from "vitest";
import { jobRow } from "../../../../test/support/job-row.ts";
import { replayFromRow } from "./database-replay.ts";

const completed = jobRow();
const failed = jobRow({ status: "failed", error_code: "model_timeout", error_message: "Too slow." });

const replay = (row: JobRow, after: number) =>
  decodeEvents(replayFromRow(row, after)).map(({ seq, event, data }) => [
    seq,
    event,
    "type" in data ? data.type : null,
  ]);

test("a new client of an expired log gets the text as one message, then done", () => {
  expect(replay(completed, 0)).toEqual([
    [8, "message", "text"],
    [9, "done", null],
  ]);
});

test("a client that has seen a part of an expired log gets the text as a reset", () => {
  expect(replay(completed, 5)).toEqual([
    [8, "message", "reset"],
    [9, "done", null],
  ]);
});

test("a client that lacks only the end of an expired log gets only the end", () => {
  expect(replay(completed, 8)).toEqual([[9, "done", null]]);
  expect(replay(completed, 9)).toEqual([]);
});

test("a failed job replays its text, its error and done", () => {
  expect(replay(failed, 3)).toEqual([
    [7, "message", "reset"],
    [8, "error", null],
    [9, "done", null],
  ]);
  expect(decodeEvents(replayFromRow(failed, 7))[0]).toMatchObject({
    data: { code: "model_timeout", message: "Too slow.", retryable: true },
  });
});

test("a job without text replays only done", () => {
  expect(replay(jobRow({ result: JSON.stringify({ content: "" }) }), 0)).toEqual([[9, "done", null]]);
});

test("a replayed done says how the answer ended; a row of an earlier version does not know", () => {
  const endOf = (result: object) => decodeEvents(replayFromRow(jobRow({ result: JSON.stringify(result) }), 8))[0]?.data;
  expect(endOf({ content: "Half an", finish_reason: "length" })).toMatchObject({ finish_reason: "length" });
  expect(endOf({ content: "An answer" })).toMatchObject({ finish_reason: null });
});
