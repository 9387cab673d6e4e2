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
import { type FindJobServices, statusOf } from "../../../jobs/find-job.ts";
import type { SessionReader } from "../../../storage/session-reader.ts";
import { type Budget, createBudget, type GivenLimits, mostGivenBytes } from "./given-limits.ts";
import { jobIdOf } from "./ids.ts";
import { findResponse } from "./read-response.ts";
import { refusedResults } from "./refused-results.ts";

const PARAM = "previous_response_id";

/** Messages per read: few enough that one page is no load, however large its messages are. */
const PAGE = 50;

/** Responses of a chain. */
const MOST_RESPONSES = 1_000;

/**
 * Oldest first. They begin behind a response that is gone. Throws `job_not_found` if the previous one is,
 * `session_busy` if it has not ended, and `invalid_request` if nothing was stored of it, or if the turns are larger
 * than a request may be.
 */
export async function earlierTurns(
  services: EarlierTurnServices,
  owner: string,
  previousId: string,
): Promise<GivenMessage[]> {
  const budget = createBudget(mostGivenBytes(services.config), tooLarge);
  const turns: GivenMessage[][] = [];
  for (let id: string | null = previousId; id !== null; ) {
    if (turns.length === MOST_RESPONSES) throw invalid(`more than ${MOST_RESPONSES} responses come before`);
    const found = await findEarlier(services, owner, jobIdOf(id, PARAM), turns.length === 0);
    if (found === null) return withoutUncalled(turns.flat());
    const { jobId, sessionId, kept } = found;
    // What a request of a conversation brings beside its question held for that request.
    const earlier = kept?.echo.conversation === null ? kept.earlier : [];
    budget.spend(Buffer.byteLength(JSON.stringify(earlier)));
    turns.unshift([...earlier, ...(await messagesUpTo(services.sessions, owner, sessionId, jobId, budget))]);
    id = kept?.echo.previous_response_id ?? null;
  }
  return turns.flat();
}

type Sessions = Pick<SessionReader, "messages" | "partSizes" | "parts">;

export type EarlierTurnServices = FindJobServices & { readonly sessions: Sessions; readonly config: GivenLimits };

/** Null for one that is gone, unless the request itself names it. */
async function findEarlier(services: EarlierTurnServices, owner: string, id: string, isNamed: boolean) {
  const { job, kept } = (await findResponse(services, owner, id).catch((error) => {
    if (isNamed || !(error instanceof PlatformError) || error.code !== "job_not_found") throw error;
    return null;
  })) ?? { job: null, kept: null };
  if (job === null) return null;
  if (job.in === "queue" || !isTerminal(statusOf(job))) {
    throw new PlatformError("session_busy", { message: "The previous response has not ended.", param: PARAM });
  }
  const { id: jobId, session_id: sessionId } = job.row;
  if (sessionId === null) throw invalid("nothing is stored of this response");
  return { jobId, sessionId, kept };
}

/** Results of calls that went with the response that is gone. */
function withoutUncalled(messages: readonly GivenMessage[]): GivenMessage[] {
  const begin = messages.findIndex(({ role }) => role === "user" || role === "assistant");
  return messages.filter(({ role }, at) => role !== "tool" || (begin !== -1 && at > begin));
}

const invalid = (problem: string) =>
  new PlatformError("invalid_request", { message: `${PARAM}: ${problem}`, param: PARAM });

const tooLarge = (most: number) => invalid(`what comes before is larger than ${most} bytes`);

/** Counts a page before it reads the next one, and the parts before it reads any. */
async function messagesUpTo(
  sessions: Sessions,
  owner: string,
  sessionId: string,
  jobId: string,
  budget: Budget,
): Promise<GivenMessage[]> {
  const pages: MessageRow[][] = [];
  for (let before: string | undefined; ; ) {
    const page = await sessions.messages(owner, sessionId, { limit: PAGE, before, upToJob: jobId, tools: true });
    for (const { content, metadata, open_turn } of page) {
      budget.spend(Buffer.byteLength(content) + Buffer.byteLength(metadata) + Buffer.byteLength(open_turn ?? ""));
    }
    for (const { bytes } of await ofQuestions(page, sessions.partSizes)) budget.spend(Number(bytes));
    pages.unshift(page);
    before = page[0]?.id;
    if (page.length < PAGE) break;
  }
  const rows = pages.flat();
  const found = (await Promise.all(pages.map((page) => ofQuestions(page, sessions.parts)))).flat();
  return asMessages(rows, new Map(found.map(({ job_id, parts }) => [job_id, JSON.parse(parts)])));
}

async function ofQuestions<T>(rows: readonly MessageRow[], read: (jobIds: readonly string[]) => Promise<T[]>) {
  const questions = rows.filter(({ role }) => role === "user").map(({ job_id }) => job_id);
  return questions.length === 0 ? [] : read(questions);
}

export type PartsOf = ReadonlyMap<string, readonly MessagePart[]>;

const CallSchema = z.object({ call_id: z.string(), name: z.string(), arguments: z.string(), turn: z.int() });
const ResultSchema = z.object({ call_id: z.string() });

/** Messages of a session, oldest first, as a request would bring them. */
export function asMessages(rows: readonly MessageRow[], parts: PartsOf): GivenMessage[] {
  const messages: GivenMessage[] = [];
  const refused = refusedResults(rows);
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
    } else if (role === "tool" && !refused.has(row)) {
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

/** Whether a message of role `tool` is the call of a tool of the platform. */
export const isCall = (row: MessageRow): boolean => callOf(row) !== null;

const callOf = ({ metadata }: MessageRow) => CallSchema.safeParse(JSON.parse(metadata)).data ?? null;

function openCallsOf({ open_turn }: MessageRow) {
  // The column is missing until a worker of this version has migrated the database.
  const turn = open_turn == null ? undefined : OpenTurnSchema.safeParse(JSON.parse(open_turn)).data;
  return (turn?.calls ?? []).map(({ call_id: id, name, arguments: args }) => ({ id, name, arguments: args }));
}
