/** Questions of agents to people, and what comes back. */
import { answerValidator } from "@agent-paas/shared/contract/inquiries.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Inquiries } from "../job/inquiries.ts";
import { plainCharsOf } from "../json-schema/plain-schema.ts";

export type Question = {
  /** What a person reads, at most 8,000 characters. */
  readonly question: string;
  /**
   * JSON Schema of the answer, of keywords that are quick to check: no patterns and no references. Default: none, so
   * that every JSON value fits.
   */
  readonly schema?: Readonly<Record<string, unknown>>;
};

export type Reply =
  | { readonly answered: true; readonly answer: unknown }
  /** Declined by a person, or by nobody in time. */
  | { readonly answered: false; readonly reason: string | null; readonly expired: boolean };

/**
 * Asks a person, and returns what was answered. Until then it rejects with `Suspended`, which ends the run; the job
 * goes on in another attempt.
 */
export type Ask = (question: Question) => Promise<Reply>;

const MAX_QUESTION_CHARS = 8_000;

export const createAsk =
  (inquiries: Inquiries): Ask =>
  async ({ question, schema = null }) => {
    if (question.length > MAX_QUESTION_CHARS) throw invalid(`is longer than ${MAX_QUESTION_CHARS} characters`);
    if (schema !== null) assertUsable(schema);
    const decision = await inquiries.ask({ type: "input", question, schema });
    if (decision.decision === "answer") return { answered: true, answer: decision.answer ?? null };
    return { answered: false, reason: decision.reason ?? null, expired: decision.expired ?? false };
  };

/** The API checks the answer while its client waits, in the thread of all its requests. */
function assertUsable(schema: Readonly<Record<string, unknown>>): void {
  if (plainCharsOf(schema) === 0) throw invalid("has a schema that may be slow to check");
  try {
    answerValidator(schema);
  } catch (error) {
    throw invalid(`has a schema that cannot be used: ${error instanceof Error ? error.message : error}`);
  }
}

const invalid = (problem: string) => new PlatformError("agent_failed", { message: `The agent's question ${problem}.` });
