import { SECOND } from "@agent-paas/shared/time.ts";
import type { ToolContext } from "../../packages/agents/src/tools/tool.ts";

/** The context of a call, of which a test sets what matters to it. */
export const contextWith = (own: Partial<ToolContext>): ToolContext => ({
  ...{ jobId: "j", sessionId: null, owner: "ann", callId: "c", collection: null },
  signal: AbortSignal.timeout(15 * SECOND),
  ended: new AbortController().signal,
  stillWorking() {},
  logger: console,
  retriever: { search: async () => [] },
  ...own,
});
