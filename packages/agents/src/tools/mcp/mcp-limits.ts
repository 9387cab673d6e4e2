/** The time limits of MCP connections, ms. */
import { SECOND } from "@agent-paas/shared/time.ts";

export type McpLimits = {
  /**
   * From the start of a connection to its list of tools. A server that must be downloaded first needs several tries.
   */
  readonly openMs: number;
  /** After this time without a message during a call, a server over HTTP is pinged. */
  readonly silentMs: number;
  /** For the answer to a ping. */
  readonly pingMs: number;
  /**
   * How long a call waits for an unreachable server. Less than a call's own limit, so that the model gets the reason.
   */
  readonly awayMs: number;
  /** The first pause before a reconnect; each further pause is twice as long, up to `longestPauseMs`. */
  readonly firstPauseMs: number;
  readonly longestPauseMs: number;
};

export const MCP_LIMITS: McpLimits = {
  openMs: 15 * SECOND,
  silentMs: 3 * SECOND,
  pingMs: 5 * SECOND,
  awayMs: 5 * SECOND,
  firstPauseMs: SECOND,
  longestPauseMs: 30 * SECOND,
};
