/** A job's stream as a run of AG-UI. */
import { ERROR_CODES } from "@agent-paas/shared/errors/codes.ts";
import type { KnownInquiries } from "../../http/asking-translate.ts";
import { type StreamFormat, streamHeaders } from "../../http/stream-format.ts";
import { frame, PROTOCOL_VERSION } from "./events.ts";
import { createTranslate, type Run } from "./translate.ts";

export const runStream = (run: Run, known: KnownInquiries): StreamFormat => ({
  headers: streamHeaders,
  preamble: Buffer.from(frame({ type: "RUN_STARTED", ...run, protocolVersion: PROTOCOL_VERSION })),
  heartbeat: Buffer.from(": hb\n\n"),
  // Without it a client would take what it has for the whole answer.
  reconnectAfter: () =>
    frame({ type: "RUN_ERROR", message: ERROR_CODES.stream_interrupted.message, code: "stream_interrupted" }),
  translate: ({ jobId }) => createTranslate(jobId, run, known),
});
