/**
 * A job's events as chunks of one UI message. Clients append only, so texts go through `AppendOnlyText`. What an
 * attempt repeats of the one before is not sent again: text, calls and results alike.
 *
 * A job that waits for people ends the stream, as the protocol wants it: the client sends its message back with the
 * replies, and the next stream goes on behind what was asked.
 */
import type { ClientCall } from "@agent-paas/shared/contract/client-tools.ts";
import type { DecodedEvent, DoneEvent, ThoughtEvent } from "@agent-paas/shared/contract/events.ts";
import { parseJson } from "@agent-paas/shared/json/exact-json.ts";
import { AppendOnlyText } from "../../http/append-only-text.ts";
import { createAskingTranslate, type KnownInquiries, type WatchedInquiry } from "../../http/asking-translate.ts";
import { NO_RESULT, type ShownCall, ShownCalls } from "../../http/shown-calls.ts";
import type { Translate } from "../../http/stream-format.ts";
import { END, finishReasonOf, frame, PROVIDER } from "./chunks.ts";
import { dataPartOf } from "./data-parts.ts";
import { MessageParts } from "./message-parts.ts";

/** The tool by which a client answers what an agent asks. */
const INPUT_TOOL = "input_required";

/** Calls of the platform's own tools: the client knows of none before, and is to make none. */
const OF_PLATFORM = { dynamic: true, providerExecuted: true } as const;

type Thought = ThoughtEvent["data"];

export function createTranslate(known: KnownInquiries): Translate {
  const text = new AppendOnlyText();
  const reasoning = new AppendOnlyText();
  const calls = new ShownCalls();
  const parts = new MessageParts();
  let hasFailed = false;

  function call(id: string, name: string, input: unknown): string {
    if (!calls.add(id, name, input)) return "";
    const called = { toolCallId: id, toolName: name, ...OF_PLATFORM };
    const frames = frame({ type: "tool-input-start", ...called });
    return parts.inStep() + frames + frame({ type: "tool-input-available", ...called, input });
  }

  function endCall(call: ShownCall, status: unknown, result: string | null): string {
    const { id: toolCallId } = call;
    const isRejected = call.requestId !== null && known.decided.get(call.requestId) === true;
    if (isRejected) return frame({ type: "tool-output-denied", toolCallId });
    if (status === "ok") return frame({ type: "tool-output-available", toolCallId, output: result, ...OF_PLATFORM });
    return frame({ type: "tool-output-error", toolCallId, errorText: result ?? "", ...OF_PLATFORM });
  }

  function result({ call_id, status, result: content }: Thought): string {
    const ended = calls.end(String(call_id));
    return parts.close() + (ended === null ? "" : endCall(ended, status, String(content))) + parts.noteResult();
  }

  /**
   * Ends what has no result when the job ends: clients would wait for it, or send its approval again and again. Calls
   * of other agents, which are shown for their approvals only, have theirs if the job is completed.
   */
  const endCalls = (isCompleted: boolean): string =>
    calls
      .unended()
      .map((each) => {
        calls.end(each.id);
        return isCompleted && each.id === each.requestId
          ? endCall(each, "ok", null)
          : endCall(each, "error", NO_RESULT);
      })
      .join("");

  function ask(thought: Thought, inquiry: WatchedInquiry): string {
    return parts.close() + askOne(thought, inquiry) + (inquiry.isLast ? parts.endStep() : "");
  }

  function askOne({ type, tool, arguments: input, question, schema }: Thought, { id, isOpen }: WatchedInquiry): string {
    if (type === "input_required") {
      if (!isOpen) return "";
      const asked = { toolCallId: id, toolName: INPUT_TOOL };
      const frames = frame({ type: "tool-input-start", ...asked });
      return parts.inStep() + frames + frame({ type: "tool-input-available", ...asked, input: { question, schema } });
    }
    const name = String(tool);
    const shown = calls.awaitApproval(id, name, input);
    const frames = shown === null ? call(id, name, input) : "";
    const toolCallId = shown ?? calls.awaitApproval(id, name, input) ?? id;
    return frames + (isOpen ? frame({ type: "tool-approval-request", approvalId: id, toolCallId }) : "");
  }

  /** Calls of the client's tools end their job. */
  function callClient({ call_id: toolCallId, name: toolName, arguments: written }: ClientCall): string {
    const called = { toolCallId, toolName };
    return (
      parts.inStep() +
      frame({ type: "tool-input-start", ...called }) +
      frame({ type: "tool-input-delta", toolCallId, inputTextDelta: written }) +
      frame({ type: "tool-input-available", ...called, input: parsed(written) })
    );
  }

  function finish({ status, usage, finish_reason, citations = [], tool_calls = [] }: DoneEvent["data"]): string {
    if (hasFailed) return END;
    const rest = parts.say("text", text.end()) + parts.close();
    if (status === "cancelled") {
      return rest + endCalls(false) + frame({ type: "abort", reason: "The job was cancelled." }) + END;
    }
    const sources = citations.map((citation) =>
      frame({
        ...{ type: "source-document", sourceId: citation.document_id, title: citation.source },
        // What the document was before it was read is not known here.
        mediaType: "text/plain",
        providerMetadata: { [PROVIDER]: citation },
      }),
    );
    const messageMetadata = { status, ...(usage === null ? {} : { usage: usageOf(usage) }) };
    const end = frame({ type: "finish", finishReason: finishReasonOf(finish_reason), messageMetadata });
    return [rest, ...sources, endCalls(true), ...tool_calls.map(callClient), parts.endStep(), end, END].join("");
  }

  function tell({ event, data }: DecodedEvent): string {
    if (event === "message") return parts.say("text", text.apply(data));
    if (event === "done") return finish(data);
    if (event === "error") {
      hasFailed = true;
      return parts.close() + endCalls(false) + frame({ type: "error", errorText: data.message });
    }
    switch (data.type) {
      case "reasoning":
        return parts.say("reasoning", reasoning.apply({ type: "text", content: data.content }));
      case "tool_call":
        // Those of the client's tools come with the end, which also a replay from the database has.
        return data.client === true ? "" : call(String(data.call_id), String(data.name), data.arguments);
      case "tool_result":
        return result(data);
      case "retry":
        return parts.say("reasoning", reasoning.apply({ type: "reset", content: "" })) + dataPartOf(data);
      default:
        return dataPartOf(data);
    }
  }

  const endAsking = (): string => frame({ type: "finish", finishReason: "tool-calls" }) + END;
  return createAskingTranslate(known, { ask, endAsking, tell });
}

/** What a model wrote that is no JSON stays a text: the client tells it so. */
function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return text;
  }
}

const usageOf = ({ input_tokens, output_tokens, total_tokens }: NonNullable<DoneEvent["data"]["usage"]>) => ({
  inputTokens: input_tokens,
  outputTokens: output_tokens,
  totalTokens: total_tokens,
});
