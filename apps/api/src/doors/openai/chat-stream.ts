/**
 * A job's events as chunks of a chat completion. Clients can only append, so text goes through `AppendOnlyText`; an
 * answer in a `response_format` of JSON, of which a second one would make no JSON, comes whole, when it is final. Calls
 * of the client's tools come with the end, which follows them at once.
 */
import { type DoneEvent, frameJson, type MessageEvent } from "@agent-paas/shared/contract/events.ts";
import type { JobError } from "@agent-paas/shared/contract/jobs.ts";
import { GrowingText } from "@agent-paas/shared/growing-text.ts";
import { AppendOnlyText } from "../../http/append-only-text.ts";
import { type StreamFormat, streamHeaders, type Translate } from "../../http/stream-format.ts";
import { asErrorCode } from "../../jobs/job-error.ts";
import { callOf, type Delta, DONE, finishReasonOf, headOf, usageOf } from "./chat-completion.ts";
import { errorBody } from "./error-format.ts";

export type ChatStreamOptions = {
  readonly jobId: string;
  readonly model: string;
  readonly includesUsage: boolean;
  /** Whether the answer is JSON. */
  readonly isJson: boolean;
};

const frame = (json: string): string => `data: ${json}\n\n`;
const HEARTBEAT = Buffer.from(": hb\n\n");

export function chatStream(options: ChatStreamOptions): StreamFormat {
  const chunks = createChunks(options);
  return {
    headers: streamHeaders,
    preamble: Buffer.from(chunks.of({ role: "assistant", content: "" })),
    heartbeat: HEARTBEAT,
    // These clients come back to no stream. Without a word they would take what they have for the whole answer.
    reconnectAfter: () => frame(frameJson(errorBody("stream_interrupted"))),
    translate: () => createTranslate(chunks, options),
  };
}

type Chunks = ReturnType<typeof createChunks>;

/** What all chunks of a stream share is encoded once. */
function createChunks({ jobId, model, includesUsage }: ChatStreamOptions) {
  const head = frameJson({ ...headOf(jobId, model), object: "chat.completion.chunk" }).slice(0, -1);
  const usage = includesUsage ? ',"usage":null' : "";
  const begin = `data: ${head},"choices":[{"index":0,"delta":`;
  const end = `,"finish_reason":null}]${usage}}\n\n`;
  return {
    of: (delta: Delta): string => begin + frameJson(delta) + end,
    text: (content: string): string => (content === "" ? "" : `${begin}{"content":${frameJson(content)}}${end}`),
    reasoning: (content: string): string =>
      content === "" ? "" : `${begin}{"reasoning_content":${frameJson(content)}}${end}`,
    finish: (reason: string): string => `${begin}{},"finish_reason":${frameJson(reason)}}]${usage}}\n\n`,
    usage: (counts: object): string => `data: ${head},"choices":[],"usage":${frameJson(counts)}}\n\n`,
  };
}

function createTranslate(chunks: Chunks, { isJson, includesUsage }: ChatStreamOptions): Translate {
  const text = isJson ? createHeldText() : new AppendOnlyText();
  const reasoning = new AppendOnlyText();
  let error: JobError | null = null;

  function finish({ status, usage, finish_reason = null, tool_calls = [] }: DoneEvent["data"]): string {
    const reason = finishReasonOf({ status, finishReason: finish_reason, error });
    if (reason === null) {
      const { code, message } = error ?? { code: "job_cancelled", message: undefined };
      return frame(frameJson(errorBody(asErrorCode(code), message)));
    }
    const calls = tool_calls.map((call, index) => ({ index, ...callOf(call) }));
    return (
      chunks.text(text.end()) +
      (calls.length === 0 ? "" : chunks.of({ tool_calls: calls })) +
      chunks.finish(reason) +
      (includesUsage && usage !== null ? chunks.usage(usageOf(usage)) : "") +
      frame(DONE)
    );
  }

  return ({ event, data }) => {
    if (event === "message") return chunks.text(text.apply(data));
    if (event === "done") return finish(data);
    if (event === "error") {
      // Not every failure is one to these clients: the end tells.
      error = data;
      return "";
    }
    if (data.type === "reasoning") return chunks.reasoning(reasoning.apply({ type: "text", content: data.content }));
    // A person must act before the job goes on: the only place where these clients show what is no answer.
    if (isInquiry(data.type)) return chunks.reasoning(reasoning.apply({ type: "text", content: `${data.content}\n` }));
    return data.type === "retry" ? chunks.reasoning(reasoning.apply({ type: "reset", content: "" })) : "";
  };
}

const isInquiry = (type: string): boolean => type === "approval_required" || type === "input_required";

/** Sends nothing before the end. */
function createHeldText() {
  const text = new GrowingText();
  return {
    apply({ type, content }: MessageEvent["data"]): string {
      if (type === "reset") text.replace(content);
      else text.append(content);
      return "";
    },
    end: () => `${text}`,
  };
}
