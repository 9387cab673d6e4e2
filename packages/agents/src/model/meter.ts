/**
 * Meters the model turns of one job, over all its agents and attempts: their usage is added up and taken from the job's
 * budget. A turn that broke off, or is still open, is estimated from the text that has arrived.
 */
import { NO_USAGE, type Usage } from "@agent-paas/shared/contract/jobs.ts";
import { GrowingText } from "@agent-paas/shared/growing-text.ts";
import type { SpendableBudget } from "../job/budget.ts";
import { type OpenStep, statusOfFailure } from "../job/steps.ts";
import { type Calibration, calibration as shared } from "./calibration.ts";
import { observeChunks } from "./chunk-stream.ts";
import type { TurnWatch } from "./last-turn.ts";
import {
  addUsage,
  hasParts,
  type Model,
  type ModelChunk,
  type ModelRequest,
  type ModelTurn,
  type ToolCall,
  usageOfTurn,
} from "./model.ts";
import { tokensOfParts } from "./part-tokens.ts";
import { type ReportedUsage, readReportedUsage } from "./reported-usage.ts";
import { countTokens, estimateTokens } from "./tokens.ts";

type OpenTurn = { readonly request: ModelRequest; readonly text: GrowingText };

export type Meter = {
  readonly usage: () => Usage;
  /** Tokens of a text of the job: the provider's figure if the latest turn was exactly this text, else an own count. */
  tokensOf(text: string): number;
  /** Adds a turn of an agent that asks a model by itself. Throws `budget_exhausted` when the budget ends. */
  report(usage: ReportedUsage): void;
  /** Adds what earlier attempts of the job used. */
  carryOver(previousUsage: Usage): void;
  /**
   * The same model, metered. Its turns throw `budget_exhausted` when the budget ends, are told to the watch, and are
   * the steps that `beginStep` begins. Default: nobody is told.
   */
  wrap(model: Model, watch?: TurnWatch, beginStep?: (request: ModelRequest) => OpenStep): Model;
};

/** A piece up to this long counts as one token until its turn reports its usage: most providers send single tokens. */
const ONE_TOKEN_CHARS = 16;

export type MeteredTurn = { readonly usage: Usage; readonly ms: number };

export type MeterListener = {
  /** Receives every turn that the provider has finished. */
  readonly onTurn?: (turn: MeteredTurn) => void;
  /** Receives the tokens of each piece as it comes, by an estimate; of a reported turn, all at once. */
  readonly onTokens?: (count: number) => void;
};

export function createMeter(
  budget: SpendableBudget,
  { onTurn = () => {}, onTokens = () => {} }: MeterListener = {},
  calibration: Calibration = shared,
): Meter {
  let finished = NO_USAGE;
  let latest: { readonly text: string; readonly tokens: number } | null = null;
  const open = new Set<OpenTurn>();

  let model: string | undefined;

  function finish(turn: OpenTurn, finishedTurn: ModelTurn): void {
    const { content, toolCalls, usage } = finishedTurn;
    open.delete(turn);
    // Counts are asked for by the name in a request, and where that is none, by none.
    model = turn.request.model === undefined ? undefined : (finishedTurn.model ?? turn.request.model);
    // Of images and files our count is too rough to learn from.
    if (!turn.request.messages.some(hasParts)) {
      calibration.learn(model, () => inputOf(turn.request), usage.input_tokens);
    }
    finished = addUsage(finished, usageOfTurn(finishedTurn));
    // With reasoning or tool calls the figure covers more than the text, and some providers count unstreamed reasoning.
    const isTextAlone = content === `${turn.text}` && toolCalls.length === 0 && usage.output_tokens > 0;
    const isPlausible = usage.output_tokens <= 3 * estimateTokens(content) + 16;
    latest = isTextAlone && isPlausible ? { text: content, tokens: usage.output_tokens } : null;
  }

  return {
    usage: () =>
      [...open]
        .filter(({ text }) => !text.isEmpty)
        .reduce((sum, { request, text }) => addUsage(sum, estimateUsage(request, `${text}`, [])), finished),
    tokensOf: (text) => (latest?.text === text ? latest.tokens : calibration.count(text, model)),
    carryOver(previousUsage) {
      finished = addUsage(finished, previousUsage);
    },
    report(reported) {
      const usage = readReportedUsage(reported);
      finished = addUsage(finished, usage);
      latest = null;
      onTokens(usage.output_tokens);
      try {
        budget.takeModelTurn();
      } finally {
        budget.takeOutputTokens(usage.output_tokens);
      }
    },
    wrap: (model, watch, beginStep) => ({
      stream(request, signal) {
        const turn: OpenTurn = { request, text: new GrowingText() };
        let taken = 0;
        let startedAt = 0;
        let step: OpenStep | undefined;

        function begin() {
          watch?.begun();
          budget.takeModelTurn();
          open.add(turn);
          startedAt = performance.now();
          step = beginStep?.(request);
          return model.stream(request, signal);
        }

        function takePiece({ type, content }: ModelChunk): void {
          if (type === "reset") return;
          if (taken === 0) step?.firstToken();
          const tokens = content.length <= ONE_TOKEN_CHARS ? 1 : estimateTokens(content);
          budget.takeOutputTokens(tokens);
          taken += tokens;
          onTokens(tokens);
          turn.text.append(content);
        }

        function endTurn(finishedTurn: ModelTurn): void {
          finish(turn, finishedTurn);
          watch?.ended(finishedTurn);
          step?.end("completed", { usage: finishedTurn.usage, name: finishedTurn.model });
          onTurn({ usage: usageOfTurn(finishedTurn), ms: Math.round(performance.now() - startedAt) });
          budget.takeOutputTokens(finishedTurn.usage.output_tokens - taken);
        }

        return observeChunks(
          begin,
          ({ done, value }) => (done ? endTurn(value) : takePiece(value)),
          () => step?.end(statusOfFailure(signal)),
        );
      },
    }),
  };
}

/** Usage by the platform's own count, for turns without a figure from their provider. */
export function estimateUsage(request: ModelRequest, content: string, toolCalls: readonly ToolCall[]): Usage {
  const input = Math.ceil(inputOf(request) * shared.factorOf(request.model));
  // Without what a provider has added, such as ids and signatures.
  const calls = toolCalls.map(({ name, arguments: args }) => ({ name, arguments: args }));
  const output = shared.count(content, request.model) + (calls.length === 0 ? 0 : countTokens(JSON.stringify(calls)));
  return { input_tokens: input, output_tokens: output, total_tokens: input + output };
}

function inputOf({ messages, tools, responseSchema }: ModelRequest): number {
  let tokens = 0;
  for (const message of messages) {
    tokens += countTokens(message.content) + TOKENS_PER_MESSAGE;
    if (message.role === "user") tokens += tokensOfParts(message.parts);
    if (message.role === "assistant" && message.toolCalls?.length)
      tokens += countTokens(JSON.stringify(message.toolCalls));
  }
  for (const schema of [tools?.length ? tools : undefined, responseSchema]) {
    if (schema !== undefined) tokens += countTokens(JSON.stringify(schema));
  }
  return tokens;
}

/** What providers add per message for its role and delimiters. */
const TOKENS_PER_MESSAGE = 4;
