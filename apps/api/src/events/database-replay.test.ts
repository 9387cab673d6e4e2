import { decodeEvents } from "@agent-paas/shared/contract/events.ts";
import type { JobRow } from "@agent-paas/shared/db/rows.ts";
import { expect, test } from "vitest";
import { replayFromRow } from "./database-replay.ts";

const completed: JobRow = {
  id: "01a20298-1bff-7650-825d-0907aa114a98",
  owner: "alice",
  kind: "chat",
  agent_type: "chat_basic",
  session_id: null,
  task: "hi",
  status: "completed",
  fencing_token: 1,
  attempt: 1,
  worker: "w",
  result: JSON.stringify({ content: "the whole text" }),
  usage: null,
  error_code: null,
  error_message: null,
  last_seq: 9,
  execution_time_ms: 5,
  created_at: "",
  started_at: "",
  finished_at: "",
};
const failed: JobRow = { ...completed, status: "failed", error_code: "model_timeout", error_message: "Too slow." };

const replay = (row: JobRow, after: number) =>
  decodeEvents(replayFromRow(row, after)).map(({ seq, event, data }) => [
    seq,
    event,
    "type" in data ? data.type : null,
  ]);

test("a new client gets the text as one message and the end", () => {
  expect(replay(completed, 0)).toEqual([
    [8, "message", "text"],
    [9, "done", null],
  ]);
});

test("a client that had seen a part gets the text as a replacement", () => {
  expect(replay(completed, 5)).toEqual([
    [8, "message", "reset"],
    [9, "done", null],
  ]);
});

test("a client that misses only the end gets only the end", () => {
  expect(replay(completed, 8)).toEqual([[9, "done", null]]);
  expect(replay(completed, 9)).toEqual([]);
});

test("a failed job replays its error too", () => {
  expect(replay(failed, 3)).toEqual([
    [7, "message", "reset"],
    [8, "error", null],
    [9, "done", null],
  ]);
  expect(decodeEvents(replayFromRow(failed, 7))[0]).toMatchObject({
    data: { code: "model_timeout", message: "Too slow.", retryable: true },
  });
});

test("a job without text replays its end alone", () => {
  expect(replay({ ...completed, result: JSON.stringify({ content: "" }) }, 0)).toEqual([[9, "done", null]]);
});
