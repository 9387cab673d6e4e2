/**
 * What a response goes on from. Every response has a session of its own, so a response may have any number of
 * successors; each gets the turns before it as its history. A response of a conversation, or of a session of another
 * door, stands at the end of what its session had by then.
 */
import type { GivenMessage } from "@agent-paas/shared/contract/given-messages.ts";
import { isTerminal } from "@agent-paas/shared/contract/jobs.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import { OpenTurnSchema } from "@agent-paas/shared/db/open-turns.ts";
import type { MessageRow } from "@agent-paas/shared/db/rows.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { z } from "zod";
import { statusOf } from "../../../jobs/find-job.ts";
import type { Services } from "../../../services.ts";
import { jobIdOf } from "./ids.ts";
import { findResponse } from "./read-response.ts";

const PARAM = "previous_response_id";

/** Rows per read. */
const PAGE = 500;

/**
 * Oldest first. Throws `job_not_found`, `session_busy` for a response that has not ended, and `invalid_request` for one
 * that nothing was stored of, or whose turns are larger than a request may be.
 */
export async function earlierTurns(services: Services, owner: string, previousId: string): Promise<GivenMessage[]> {
  const most = services.config.MAX_BODY_BYTES + services.config.MAX_PARTS_BYTES;
  const turns: GivenMessage[][] = [];
  let bytes = 0;
  for (let id: string | null = previousId; id !== null; ) {
    const { job, kept } = await findResponse(services, owner, jobIdOf(id, PARAM));
    if (job.in === "queue" || !isTerminal(statusOf(job))) {
      throw new PlatformError("session_busy", { message: "The previous response has not ended.", param: PARAM });
    }
    const { id: jobId, session_id } = job.row;
    if (session_id === null) throw invalid("nothing is stored of this response");
    const turn = [...(kept?.earlier ?? []), ...(await messagesUpTo(services, owner, session_id, jobId))];
    bytes += Buffer.byteLength(JSON.stringify(turn));
    if (bytes > most) throw invalid(`what comes before is larger than ${most} bytes`);
    turns.unshift(turn);
    id = kept?.echo.previous_response_id ?? null;
  }
  return turns.flat();
}

const invalid = (problem: string) =>
  new PlatformError("invalid_request", { message: `${PARAM}: ${problem}`, param: PARAM });

async function messagesUpTo(
  { sessions }: Pick<Services, "sessions">,
  owner: string,
  sessionId: string,
  jobId: string,
): Promise<GivenMessage[]> {
  const rows: MessageRow[] = [];
  for (let before: string | undefined; ; ) {
    const page = await sessions.messages(owner, sessionId, { limit: PAGE, before, tools: true });
    rows.unshift(...page);
    before = page[0]?.id;
    if (page.length < PAGE) break;
  }
  const last = rows.findLastIndex(({ job_id }) => job_id === jobId);
  const kept = rows.slice(0, last + 1);
  return asMessages(kept, await partsOf(sessions, kept));
}

export type PartsOf = ReadonlyMap<string, readonly MessagePart[]>;

async function partsOf(sessions: Services["sessions"], rows: readonly MessageRow[]): Promise<PartsOf> {
  const questions = rows.filter(({ role }) => role === "user").map(({ job_id }) => job_id);
  const found = questions.length === 0 ? [] : await sessions.parts(questions);
  return new Map(found.map(({ job_id, parts }) => [job_id, JSON.parse(parts)]));
}

const CallSchema = z.object({ call_id: z.string(), name: z.string(), arguments: z.string(), turn: z.int() });
const ResultSchema = z.object({ call_id: z.string() });

/** Messages of a session, oldest first, as a request would bring them. */
export function asMessages(rows: readonly MessageRow[], parts: PartsOf): GivenMessage[] {
  const messages: GivenMessage[] = [];
  for (const [at, row] of rows.entries()) {
    const { role, content, job_id } = row;
    if (role === "user") {
      const own = parts.get(job_id);
      if (own !== undefined) messages.push({ role, content, parts: [...own] });
      else if (content !== "") messages.push({ role, content });
    } else if (role === "assistant") {
      const calls = openCallsOf(row);
      if (calls.length > 0) messages.push({ role, content, tool_calls: calls });
      else if (content !== "") messages.push({ role, content });
    } else if (role === "tool") {
      messages.push(...asCalls(rows, at));
    }
  }
  return messages;
}

/** The calls of one model turn are one message, before all of their results. */
function asCalls(rows: readonly MessageRow[], at: number): GivenMessage[] {
  const row = rows[at] as MessageRow;
  const result = ResultSchema.safeParse(JSON.parse(row.metadata)).data;
  if (result === undefined) return [];
  const message: GivenMessage = { role: "tool", call_id: result.call_id, content: row.content };
  const call = callOf(row);
  // Of a call that the client made: it stands with the answer that asked for it.
  if (call === null) return [message];
  const isOfTurn = (other: MessageRow | undefined) =>
    other?.job_id === row.job_id && other.role === "tool" && callOf(other)?.turn === call.turn;
  if (isOfTurn(rows[at - 1])) return [message];
  const made = rows.filter(isOfTurn).flatMap((each) => callOf(each) ?? []);
  const tool_calls = made.map(({ call_id: id, name, arguments: args }) => ({ id, name, arguments: args }));
  return [{ role: "assistant", content: "", tool_calls }, message];
}

const callOf = ({ metadata }: MessageRow) => CallSchema.safeParse(JSON.parse(metadata)).data ?? null;

function openCallsOf({ open_turn }: MessageRow) {
  // The column is missing until a worker of this version has migrated the database.
  const turn = open_turn == null ? undefined : OpenTurnSchema.safeParse(JSON.parse(open_turn)).data;
  return (turn?.calls ?? []).map(({ call_id: id, name, arguments: args }) => ({ id, name, arguments: args }));
}
