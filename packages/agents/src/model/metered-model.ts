/** Sums what the model calls of one job used; a turn that broke off, or is still open, is estimated from what came. */
import { NO_USAGE, type Usage } from "@agent-paas/shared/contract/jobs.ts";
import { countTokens } from "../tokens.ts";
import { addUsage, type Model, type ModelRequest } from "./model.ts";

type OpenTurn = { readonly request: ModelRequest; content: string };

export function createMeteredModel(model: Model): { readonly model: Model; readonly usage: () => Usage } {
  let finished = NO_USAGE;
  const open = new Set<OpenTurn>();
  return {
    usage: () =>
      [...open]
        .filter(({ content }) => content !== "")
        .reduce((sum, { request, content }) => addUsage(sum, estimateUsage(request, content)), finished),
    model: {
      async *stream(request, signal) {
        const turn: OpenTurn = { request, content: "" };
        open.add(turn);
        const chunks = model.stream(request, signal);
        try {
          for (;;) {
            const step = await chunks.next();
            if (step.done) {
              open.delete(turn);
              finished = addUsage(finished, step.value.usage);
              return step.value;
            }
            turn.content += step.value.content;
            yield step.value;
          }
        } finally {
          // An agent that stops listening closes the upstream request.
          await chunks.return(undefined as never);
        }
      },
    },
  };
}

/** By our own tokenizer, for turns whose provider reported none. */
export function estimateUsage(request: ModelRequest, content: string): Usage {
  const input = request.messages.reduce((sum, message) => sum + countTokens(message.content) + TOKENS_PER_MESSAGE, 0);
  const output = countTokens(content);
  return { input_tokens: input, output_tokens: output, total_tokens: input + output };
}

/** The role and its delimiters. */
const TOKENS_PER_MESSAGE = 4;
