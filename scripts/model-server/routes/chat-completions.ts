/** POST /v1/chat/completions: the request selects a step, the step makes a reply, a playback sends it. */
import { refusal } from "../api-error.ts";
import type { CallLog } from "../call-log.ts";
import { type ChatRequest, parseChatRequest, textOf } from "../chat-request.ts";
import { EventStreamOutput } from "../event-stream-output.ts";
import { bearerOf, type Handler, readJson, sendError } from "../http.ts";
import type { Head } from "../output.ts";
import type { Paced, Pacer } from "../pacer.ts";
import { Playback } from "../playback.ts";
import { composeReply } from "../reply.ts";
import type { ScriptBook } from "../script-book.ts";
import { type Fault, REFUSALS, type Refusal } from "../step.ts";
import { countTokens } from "../tokenize.ts";
import { WholeOutput } from "../whole-output.ts";

type Deps = {
  readonly book: ScriptBook;
  readonly log: CallLog;
  readonly pacer: Pacer;
};

export function chatCompletions({ book, log, pacer }: Deps): Handler {
  return async ({ request, response }) => {
    const asked = parseChatRequest(await readJson(request));
    const chosen = book.choose(asked);
    const { step } = chosen;
    const call = log.open(asked, step.fault);
    const clientClosed = () => log.end(call, "client_closed");

    if (step.fault === "no_headers") {
      response.on("close", clientClosed);
    } else if (isRefusal(step.fault)) {
      const error = refusal(step.fault, bearerOf(request), step.retry_after);
      const refused = later(step.ttft, () => {
        sendError(response, error);
        log.end(call, "fault");
      });
      response.on("close", () => {
        pacer.remove(refused);
        clientClosed();
      });
      pacer.add(refused);
    } else {
      const head: Head = { id: `chatcmpl-${call.id}`, created: Math.floor(Date.now() / 1000), model: asked.model };
      const playback = new Playback({
        reply: composeReply(asked, chosen),
        step,
        fault: step.fault,
        output: asked.stream
          ? new EventStreamOutput(response, head, asked.stream_options?.include_usage ?? false)
          : new WholeOutput(response, head),
        call,
        log,
        pacer,
        promptTokens: () => promptTokens(asked),
      });
      response.on("close", () => playback.release());
      pacer.add(playback);
    }
  };
}

function isRefusal(fault: Fault | undefined): fault is Refusal {
  return (REFUSALS as readonly unknown[]).includes(fault);
}

function later(delayMs = 0, act: () => void): Paced {
  const paced: Paced = {
    dueAt: performance.now() + delayMs,
    advance() {
      paced.dueAt = Infinity;
      act();
    },
  };
  return paced;
}

function promptTokens({ messages }: ChatRequest): number {
  return messages.reduce((sum, item) => sum + countTokens(textOf(item)), 0);
}
