/**
 * Meters what the model calls of one job use, of all its agents and attempts together: for its usage, and against its
 * budget. A turn that broke off, or is still open, is estimated from what came.
 */
import { NO_USAGE, type Usage } from "@agent-paas/shared/contract/jobs.ts";
import type { SpendableBudget } from "../job/budget.ts";
import { addUsage, type Model, type ModelRequest, type ModelTurn, type ToolCall } from "./model.ts";
import { countTokens, estimateTokens } from "./tokens.ts";

type OpenTurn = { readonly request: ModelRequest; content: string };

export type Meter = {
  readonly usage: () => Usage;
  /** Of a text that the job has said: by the provider's figure where one turn said just that, else by our own tokenizer. */
  tokensOf(text: string): number;
  /** Adds what former attempts of the job have used. */
  resume(used: Usage): void;
  /** The same model, metered. Its turns throw `budget_exhausted` when the budget ends. */
  wrap(model: Model): Model;
};

/** A piece up to this long counts as one token until its turn's end tells better: most providers send token by token. */
const ONE_TOKEN_CHARS = 16;

export function createMeter(budget: SpendableBudget): Meter {
  let finished = NO_USAGE;
  let latest: { readonly text: string; readonly tokens: number } | null = null;
  const open = new Set<OpenTurn>();

  function finish(turn: OpenTurn, { content, toolCalls, usage }: ModelTurn): void {
    open.delete(turn);
    finished = addUsage(finished, usage);
    // With reasoning or tool calls the figure is of more than the text; and some count reasoning that they do not stream.
    const isTextAlone = content === turn.content && toolCalls.length === 0 && usage.output_tokens > 0;
    const isPlausible = usage.output_tokens <= 3 * estimateTokens(content) + 16;
    latest = isTextAlone && isPlausible ? { text: content, tokens: usage.output_tokens } : null;
  }

  return {
    usage: () =>
      [...open]
        .filter(({ content }) => content !== "")
        .reduce((sum, { request, content }) => addUsage(sum, estimateUsage(request, content, [])), finished),
    tokensOf: (text) => (latest?.text === text ? latest.tokens : countTokens(text)),
    resume(used) {
      finished = addUsage(finished, used);
    },
    wrap: (model) => ({
      async *stream(request, signal) {
        budget.takeModelTurn();
        const turn: OpenTurn = { request, content: "" };
        open.add(turn);
        let taken = 0;
        const chunks = model.stream(request, signal);
        try {
          for (;;) {
            const step = await chunks.next();
            if (step.done) {
              finish(turn, step.value);
              budget.takeOutputTokens(step.value.usage.output_tokens - taken);
              return step.value;
            }
            const { content } = step.value;
            const tokens = content.length <= ONE_TOKEN_CHARS ? 1 : estimateTokens(content);
            budget.takeOutputTokens(tokens);
            taken += tokens;
            turn.content += content;
            yield step.value;
          }
        } finally {
          // An agent that stops listening closes the upstream request.
          await chunks.return(undefined as never);
        }
      },
    }),
  };
}

/** By our own tokenizer, for turns whose provider reported none. */
export function estimateUsage(request: ModelRequest, content: string, toolCalls: readonly ToolCall[]): Usage {
  const input = request.messages.reduce((sum, message) => sum + countTokens(message.content) + TOKENS_PER_MESSAGE, 0);
  const output = countTokens(content) + (toolCalls.length === 0 ? 0 : countTokens(JSON.stringify(toolCalls)));
  return { input_tokens: input, output_tokens: output, total_tokens: input + output };
}

/** The role and its delimiters. */
const TOKENS_PER_MESSAGE = 4;
