/** A job's stream as a UI message stream of the AI SDK. */
import { ERROR_CODES } from "@agent-paas/shared/errors/codes.ts";
import type { KnownInquiries } from "../../http/asking-translate.ts";
import { type StreamFormat, streamHeaders } from "../../http/stream-format.ts";
import { END, frame } from "./chunks.ts";
import { createTranslate } from "./translate.ts";

/** Its clients and proxies know the protocol by it. */
const VERSION_HEADER = { "X-Vercel-AI-UI-Message-Stream": "v1" } as const;

export type UiStreamOptions = KnownInquiries & {
  readonly jobId: string;
  readonly sessionId: string | null;
  /** A new one begins a message, the client's last one goes on with it. */
  readonly messageId: string;
};

export const uiStream = ({ jobId, sessionId, messageId, ...options }: UiStreamOptions): StreamFormat => ({
  headers: (job) => ({ ...streamHeaders(job), ...VERSION_HEADER }),
  preamble: Buffer.from(frame({ type: "start", messageId, messageMetadata: { jobId, sessionId } })),
  heartbeat: Buffer.from(": hb\n\n"),
  // Without it a client would take what it has for the whole answer.
  reconnectAfter: () => frame({ type: "error", errorText: ERROR_CODES.stream_interrupted.message }) + END,
  translate: () => createTranslate(options),
});
