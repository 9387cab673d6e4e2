/**
 * A job's events as events of an AG-UI run. Clients append only, so texts go through `AppendOnlyText`; what an attempt
 * repeats of the one before is not sent again. A job that waits for people ends the run with interrupts, and the run
 * that answers them goes on behind what this one has told.
 */
import type { ClientCall } from "@agent-paas/shared/contract/client-tools.ts";
import type { DecodedEvent, DoneEvent, ThoughtEvent } from "@agent-paas/shared/contract/events.ts";
import { AppendOnlyText } from "../../http/append-only-text.ts";
import { createAskingTranslate, type KnownInquiries, type WatchedInquiry } from "../../http/asking-translate.ts";
import { NO_RESULT, ShownCalls } from "../../http/shown-calls.ts";
import type { Translate } from "../../http/stream-format.ts";
import { isAnswer } from "../../jobs/is-answer.ts";
import { type AgUiEvent, callsIdOf, frame, type Interrupt, resultIdOf, usageOf } from "./events.ts";
import { Messages } from "./messages.ts";
import { APPROVAL } from "./resume.ts";
import { Steps } from "./steps.ts";

export type Run = { readonly threadId: string; readonly runId: string };

type Outcome = Extract<AgUiEvent, { type: "RUN_FINISHED" }>["outcome"];
type Thought = ThoughtEvent["data"];
type Done = DoneEvent["data"];

const CUSTOM_PREFIX = "agent-paas.";

export function createTranslate(jobId: string, run: Run, known: KnownInquiries): Translate {
  const text = new AppendOnlyText();
  const reasoning = new AppendOnlyText();
  const calls = new ShownCalls();
  const messages = new Messages(jobId);
  const steps = new Steps();
  const interrupts: Interrupt[] = [];
  let hasFailed = false;

  const custom = (name: string, value: unknown): string => frame({ type: "CUSTOM", name: CUSTOM_PREFIX + name, value });

  const close = (): string => messages.close() + steps.endAll();

  function call(toolCallId: string, toolCallName: string, args: string, parent = {}): string {
    return (
      messages.close() +
      frame({ type: "TOOL_CALL_START", toolCallId, toolCallName, ...parent }) +
      frame({ type: "TOOL_CALL_ARGS", toolCallId, delta: args }) +
      frame({ type: "TOOL_CALL_END", toolCallId })
    );
  }

  function result(toolCallId: string, status: unknown, content: unknown): string {
    if (calls.end(toolCallId) === null) return "";
    const shown = { messageId: resultIdOf(toolCallId), toolCallId, content: String(content), role: "tool" } as const;
    const failed = status === "ok" ? {} : { metadata: { status: String(status) } };
    return messages.close() + frame({ type: "TOOL_CALL_RESULT", ...shown, ...failed });
  }

  /** Ends what has no result when the job ends: clients would take it for calls of their own tools. */
  const endCalls = (): string =>
    calls
      .unended()
      .map(({ id }) => result(id, "error", NO_RESULT))
      .join("");

  function ask(thought: Thought, { id, isOpen, isLast }: WatchedInquiry): string {
    const { type, tool, arguments: input, content, schema } = thought;
    const isApproval = type === "approval_required";
    const toolCallId = isApproval ? calls.awaitApproval(id, String(tool), input) : null;
    if (isOpen) {
      const responseSchema = isApproval ? APPROVAL : (schema as Interrupt["responseSchema"] | null);
      interrupts.push({
        ...{ id, reason: isApproval ? "tool_call" : "input_required", message: content },
        ...(toolCallId === null ? {} : { toolCallId }),
        ...(responseSchema === null ? {} : { responseSchema }),
        expiresAt: String(thought.expires_at),
        ...(isApproval ? { metadata: { tool, arguments: input } } : {}),
      });
    }
    return messages.close() + (isLast ? steps.endAll() : "");
  }

  function finishRun(outcome: Outcome, { usage = null, data }: Partial<Pick<Done, "usage" | "data">> = {}): string {
    const more = {
      ...(data === undefined ? {} : { result: data }),
      ...(usage === null ? {} : { usage: usageOf(usage) }),
    };
    return frame({ type: "RUN_FINISHED", ...run, outcome, ...more });
  }

  /** All of them are of one message, behind which the client puts their results. */
  const callClient = ({ call_id, name, arguments: args }: ClientCall): string =>
    call(call_id, name, args, { parentMessageId: callsIdOf(jobId) });

  function finish({ status, usage, citations = [], tool_calls = [], data }: Done): string {
    if (hasFailed) return "";
    const rest = messages.say("text", text.end()) + close() + endCalls();
    if (status === "cancelled") return rest + finishRun({ type: "cancelled" }, { usage });
    const cited = citations.length === 0 ? "" : custom("citations", citations);
    const called = tool_calls.map(callClient).join("");
    const pending = tool_calls.length === 0 ? {} : { pendingToolCallIds: tool_calls.map(({ call_id }) => call_id) };
    // What an agent returns beside its answer goes to it again with the next run.
    const isState = data !== undefined && !isAnswer(data, text.sent);
    const state = isState ? frame({ type: "STATE_SNAPSHOT", snapshot: data }) : "";
    return rest + cited + called + state + finishRun({ type: "success", ...pending }, { usage, data });
  }

  function tell({ event, data }: DecodedEvent): string {
    if (event === "message") return messages.say("text", text.apply(data));
    if (event === "done") return finish(data);
    if (event === "error") {
      hasFailed = true;
      return close() + endCalls() + frame({ type: "RUN_ERROR", message: data.message, code: data.code });
    }
    const { type, content } = data;
    if (type === "reasoning") return messages.say("reasoning", reasoning.apply({ type: "text", content }));
    if (type === "tool_call") {
      // Those of the client's tools come with the end, which also a replay from the database has.
      const isNew = data.client !== true && calls.add(String(data.call_id), String(data.name), data.arguments);
      return isNew ? call(String(data.call_id), String(data.name), JSON.stringify(data.arguments)) : "";
    }
    if (type === "tool_result") return result(String(data.call_id), data.status, data.result);
    const told = custom(type, data);
    // One that is handed over to is no step.
    if (type === "delegate" && data.step !== undefined) return steps.apply(String(data.step), data.status) + told;
    if (type !== "retry") return told;
    return messages.close() + messages.say("reasoning", reasoning.apply({ type: "reset", content: "" })) + told;
  }

  const endAsking = (): string => finishRun({ type: "interrupt", interrupts });
  return createAskingTranslate(known, { ask, endAsking, tell });
}
