/** Times of MCP connections, ms. */
import { SECOND } from "@agent-paas/shared/time.ts";

export type McpLimits = {
  /** From the start of a connection to the list of its tools. A server that a runner downloads first needs several tries. */
  readonly openMs: number;
  /** For the answer that shows that a server still lives. */
  readonly pingMs: number;
  /** How long a call waits for a server that is away; less than calls may last, so that the model hears why. */
  readonly awayMs: number;
  /** The first pause before a server is connected again; each further one is twice as long, up to the longest. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
};

export const MCP_LIMITS: McpLimits = {
  openMs: 15 * SECOND,
  pingMs: 5 * SECOND,
  awayMs: 5 * SECOND,
  firstPauseMs: SECOND,
  longestPauseMs: 30 * SECOND,
};
