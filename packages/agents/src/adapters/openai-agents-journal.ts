/** Tools and models of the OpenAI Agents SDK whose work is kept for a later attempt of the job. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { readArguments } from "./framework-events.ts";
import { currentRun, type FrameworkRun } from "./framework-run.ts";
import { callInJob, FrameworkToolError, type FrameworkToolOptions } from "./framework-tool.ts";
import { keepTurn } from "./framework-turn.ts";
import { type Fields, finishReasonIn, rawEvent, usageIn } from "./openai-agents-events.ts";

type Invoke = (context: unknown, input: string, details?: Fields) => Promise<unknown>;

/** The same tool, whose calls are the job's: counted, bounded in time, and not repeated by a later attempt. */
export function journaledTool<Tool extends { readonly name: string }>(
  tool: Tool,
  options: FrameworkToolOptions = {},
): Tool {
  const { name, invoke } = tool as unknown as { readonly name: string; readonly invoke?: Invoke };
  if (invoke === undefined) return tool;
  const inJob: Invoke = async (runContext, input, details) => {
    const { callId } = (details?.toolCall ?? {}) as { readonly callId?: string };
    const call = { name, args: readArguments(input), id: callId };
    try {
      return await callInJob(call, options, (args, signal) =>
        invoke(runContext, asInput(args, input), signal === undefined ? details : { ...details, signal }),
      );
    } catch (error) {
      // An error would end the SDK's run; the model should read it.
      if (error instanceof FrameworkToolError) return error.message;
      throw error;
    }
  };
  return { ...tool, invoke: inJob };
}

/** The model's own text, unless a person has changed the arguments. */
const asInput = (args: unknown, input: string): string =>
  JSON.stringify(args) === JSON.stringify(readArguments(input)) ? input : JSON.stringify(args);

type Asked = Readonly<Record<"systemInstructions" | "input" | "outputType", unknown>>;
type Streaming = { getStreamedResponse(asked: Asked): AsyncIterable<Fields> };

/**
 * The same model, whose turns that call tools are kept: a later attempt of the job repeats them word for word, so it
 * makes the same calls, and finds those that are finished.
 */
export function journaledModel<Model extends object>(model: Model): Model {
  const streaming = model as unknown as Streaming;
  async function* keepingTurns(asked: Asked, run: FrameworkRun | undefined): AsyncGenerator<Fields> {
    const request = [asked.systemInstructions, asked.input, asked.outputType];
    const ask = () => wholeTurn(streaming.getStreamedResponse(asked));
    yield* await keepTurn({ request, ask, callsTool }, run);
  }
  return new Proxy(model, {
    get(target, name) {
      if (name === "getStreamedResponse") return (asked: Asked) => keepingTurns(asked, currentRun());
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Throws for a turn that breaks off without an error: no chunk has told its end, and none what it used. */
async function* wholeTurn(events: AsyncIterable<Fields>): AsyncGenerator<Fields> {
  let isOpen = false;
  for await (const event of events) {
    const { choices } = rawEvent(event);
    if (choices !== undefined) isOpen = true;
    if (finishReasonIn(event) !== undefined) isOpen = false;
    if (event.type === "response_done" && isOpen && !usageIn(event).total) {
      throw new PlatformError("model_stream_broken");
    }
    yield event;
  }
}

function callsTool({ type, response }: Fields): boolean {
  const { output = [] } = (response ?? {}) as { readonly output?: readonly Fields[] };
  return type === "response_done" && output.some((item) => item.type === "function_call");
}
