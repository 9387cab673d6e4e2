/** Model turns of a framework: kept in the journal if they call tools, and counted as the job's. */
import { Readable } from "node:stream";
import { cutText } from "@agent-paas/shared/text.ts";
import type { AgentContext } from "../agent/agent.ts";
import { countTokens } from "../model/tokens.ts";
import { currentRun, type FrameworkRun } from "./framework-run.ts";

/** As long as a journal entry may be. */
const MAX_KEPT_CHARS = 1024 * 1024;

export type KeptTurn<Part> = {
  /** What the turn depends on. */
  readonly request: unknown;
  readonly ask: () => AsyncIterable<Part> | PromiseLike<AsyncIterable<Part>>;
  /** Whether a tool is called by this part. */
  readonly callsTool: (part: Part) => boolean;
};

/**
 * The turn's parts as they come, or those that an earlier attempt has kept: then the provider is not asked. From the
 * first call on, parts are held back until the whole turn is kept, so no call is made before. Rejects as `ask` does.
 */
export async function keepTurn<Part>(
  { request, ask, callsTool }: KeptTurn<Part>,
  run: FrameworkRun | undefined = currentRun(),
): Promise<AsyncIterable<Part>> {
  if (run === undefined) return ask();
  const { journal, logger } = run.context;
  const entry = await journal.begin({ kind: "framework_turn", input: request, idempotent: true });
  if (entry.state === "finished") return Readable.from(entry.value as Part[]);
  const asked = await ask();
  async function* keep(): AsyncGenerator<Part, void> {
    const parts: Part[] = [];
    let shown = 0;
    for await (const part of asked) {
      parts.push(part);
      if (shown < parts.length - 1 || callsTool(part)) continue;
      shown = parts.length;
      yield part;
    }
    if (shown === parts.length) return;
    if (JSON.stringify(parts).length > MAX_KEPT_CHARS) {
      logger.warn({ parts: parts.length }, "a model turn is too long to be kept for a retry");
    } else if (entry.state === "new") await entry.finish(parts);
    yield* parts.slice(shown);
  }
  return keep();
}

/** Of a model, as a report takes it. */
const MAX_NAME_CHARS = 200;

export type TurnUsage = {
  readonly input?: number | undefined;
  readonly output?: number | undefined;
  readonly total?: number | undefined;
  /** The model that answered. */
  readonly model?: unknown;
};

/**
 * Counts one turn. `text` stands in for what a provider does not count. Throws `budget_exhausted` when the budget ends.
 * Every attempt counts its turns, those that were kept as well.
 */
export function reportTurn({ usage }: AgentContext<unknown>, turn: TurnUsage, text: string): void {
  const output_tokens = turn.output ?? countTokens(text);
  const model = typeof turn.model === "string" && turn.model !== "" ? cutText(turn.model, MAX_NAME_CHARS) : undefined;
  usage.report({ input_tokens: turn.input ?? 0, output_tokens, total_tokens: turn.total, model });
}
