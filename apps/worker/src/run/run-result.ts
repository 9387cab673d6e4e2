/** What a run produced. It is a partial result if the job did not complete. */
import { type JobResult, NO_USAGE, type Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { OpenTurn } from "../storage/open-turn.ts";
import type { FinishedCall } from "../storage/tool-messages.ts";
import type { WholeTurn } from "../storage/whole-turns.ts";

export type RunResult = {
  /** How long the run took, ms. */
  readonly executionMs: number;
  readonly result: JobResult;
  /** Tokens of `result.content`. */
  readonly resultTokens: number;
  readonly usage: Usage;
  /** The tool calls of the agent that have results. Default: none. */
  readonly calls?: readonly FinishedCall[];
  /** The turn whose calls the client is to make. Default: none. */
  readonly openTurn?: OpenTurn | null;
  /** The model turns up to it, whole. Default: none. */
  readonly wholeTurns?: readonly WholeTurn[];
};

export const NO_RESULT: RunResult = { executionMs: 0, result: { content: "" }, resultTokens: 0, usage: NO_USAGE };
