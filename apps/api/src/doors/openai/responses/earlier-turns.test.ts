import type { JobRow, MessagePartsRow, MessageRow } from "@agent-paas/shared/db/rows.ts";
import { newId } from "@agent-paas/shared/ids.ts";
import { expect, test } from "vitest";
import { type EarlierTurnServices, earlierTurns } from "./earlier-turns.ts";
import { responseId } from "./ids.ts";
import { encodeKept, NOTHING_KEPT } from "./kept-request.ts";

type Turn = { readonly jobId: string; readonly previous: string | null; readonly rows: readonly MessageRow[] };

const row = (jobId: string, role: string, content: string, metadata: object = {}) =>
  ({ id: newId(), job_id: jobId, role, content, metadata: JSON.stringify(metadata), open_turn: null }) as MessageRow;

/** A chain of turns, each with a question and an answer. */
function chainOf(length: number): Turn[] {
  const ids = Array.from({ length }, newId);
  return ids.map((jobId, at) => ({
    jobId,
    previous: ids[at - 1] ?? null,
    rows: [row(jobId, "user", `Question ${at}`), row(jobId, "assistant", `Answer ${at}`)],
  }));
}

/** The services of an owner who has these turns, each in a session of its own. `read`: what was read of them. */
function servicesOf(turns: readonly Turn[], partBytes = 0) {
  const read = { jobs: 0, messages: 0, parts: 0 };
  const byId = new Map(turns.map((turn) => [turn.jobId, turn]));
  const services: EarlierTurnServices = {
    config: { MAX_BODY_BYTES: 60_000, MAX_PARTS_BYTES: 40_000 },
    jobs: {
      async find(_owner: string, id: string) {
        read.jobs++;
        const turn = byId.get(id);
        if (turn === undefined) return undefined;
        const previous_response_id = turn.previous === null ? null : responseId(turn.previous);
        const kept = { ...NOTHING_KEPT, echo: { ...NOTHING_KEPT.echo, previous_response_id } };
        const request = JSON.stringify(encodeKept(kept));
        return { id, session_id: id, agent_type: "chat_basic", status: "completed", request, metadata: "{}" } as JobRow;
      },
    } as EarlierTurnServices["jobs"],
    queuedJobs: { find: async () => null } as unknown as EarlierTurnServices["queuedJobs"],
    sessions: {
      async messages(_owner, sessionId, { limit, before }) {
        const { rows = [] } = byId.get(sessionId) ?? {};
        const end = before === undefined ? rows.length : rows.findIndex(({ id }) => id === before);
        const page = rows.slice(Math.max(0, end - limit), end);
        read.messages += page.length;
        return page;
      },
      partSizes: async (jobIds) =>
        partBytes === 0 ? [] : jobIds.map((job_id) => ({ job_id, bytes: partBytes as MessagePartsRow["bytes"] })),
      async parts(jobIds) {
        read.parts += jobIds.length;
        return [];
      },
    },
  };
  return { services, read };
}

const lastOf = (turns: readonly Turn[]) => turns.at(-1)?.jobId ?? "";
const TOO_LARGE = { code: "invalid_request", param: "previous_response_id" };

test("the turns of a chain come oldest first", async () => {
  const turns = chainOf(3);
  const earlier = await earlierTurns(servicesOf(turns).services, "alice", lastOf(turns));
  expect(earlier.map(({ content }) => content)).toEqual([0, 1, 2].flatMap((at) => [`Question ${at}`, `Answer ${at}`]));
});

test("a session that is larger than a request may be is read no further than that", async () => {
  const jobId = newId();
  const rows = Array.from({ length: 5_000 }, (_, at) =>
    row(newId(), at % 2 === 0 ? "user" : "assistant", "x".repeat(1_000)),
  );
  const { services, read } = servicesOf([{ jobId, previous: null, rows }]);
  await expect(earlierTurns(services, "alice", jobId)).rejects.toMatchObject(TOO_LARGE);
  expect(read.messages).toBeLessThanOrEqual(100);
  expect(read.parts).toBe(0);
});

test("parts that are larger than a request may be are not read", async () => {
  const turns = chainOf(3);
  const { services, read } = servicesOf(turns, 100_001);
  await expect(earlierTurns(services, "alice", lastOf(turns))).rejects.toMatchObject(TOO_LARGE);
  expect(read).toMatchObject({ jobs: 1, parts: 0 });
});

test("a chain of more than 1000 responses is refused", async () => {
  const turns = chainOf(1_002).map((turn) => ({ ...turn, rows: [] }));
  const { services, read } = servicesOf(turns);
  await expect(earlierTurns(services, "alice", lastOf(turns))).rejects.toMatchObject(TOO_LARGE);
  expect(read.jobs).toBe(1_000);
});

test("a chain goes on without a response that is gone, and without the results of its calls", async () => {
  const turns = chainOf(4);
  const [, , third, last] = turns as [Turn, Turn, Turn, Turn];
  const left = { ...third, rows: [row(third.jobId, "tool", "18 degrees", { call_id: "c" }), ...third.rows] };
  const earlier = await earlierTurns(servicesOf([left, last]).services, "alice", last.jobId);
  expect(earlier.map(({ content }) => content)).toEqual(["Question 2", "Answer 2", "Question 3", "Answer 3"]);
});

test("of the results that several jobs of a conversation brought the one that the model was told comes along", async () => {
  const [asking, cancelled, answered, late] = [newId(), newId(), newId(), newId()];
  const open_turn = JSON.stringify({ calls: [{ call_id: "c", name: "look", arguments: "{}" }] });
  const result = (jobId: string, content: string) => row(jobId, "tool", content, { call_id: "c", client: true });
  const rows = [
    row(asking, "user", "Look"),
    { ...row(asking, "assistant", "", { status: "completed" }), open_turn },
    result(cancelled, "First"),
    row(cancelled, "assistant", "Half", { status: "cancelled" }),
    result(answered, "Second"),
    row(answered, "assistant", "Seen", { status: "completed" }),
    result(late, "Third"),
  ];
  const contents = async (upTo: number) => {
    const turns = [{ jobId: answered, previous: null, rows: rows.slice(0, upTo) }];
    return (await earlierTurns(servicesOf(turns).services, "alice", answered)).map(({ content }) => content);
  };
  expect(await contents(7)).toEqual(["Look", "", "Half", "Second", "Seen"]);
  expect(await contents(4)).toEqual(["Look", "", "First", "Half"]);
});

test("the previous response itself must be there", async () => {
  const { services } = servicesOf([]);
  await expect(earlierTurns(services, "alice", newId())).rejects.toMatchObject({ code: "job_not_found" });
});
