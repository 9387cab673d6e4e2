/**
 * The ids of a call's events. Each says which job it is of, how far its log has been read, and what a message to the
 * client needs besides; so any API process resumes the stream, and none remembers it.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { z } from "zod";
import { EventIdSchema } from "../../http/headers.ts";
import { type ProgressToken, ProgressTokenSchema, type RequestId, RequestIdSchema } from "./protocol.ts";

export type StreamedCall = {
  readonly jobId: string;
  readonly requestId: RequestId;
  /** Null: the client wants no progress. */
  readonly progressToken: ProgressToken | null;
  /** Whether the client can ask its user. */
  readonly elicits: boolean;
};

const CallSchema = z.tuple([RequestIdSchema, ProgressTokenSchema.nullable(), z.boolean()]);

/** Long enough for a request id and a token of 255 characters each, in base64. */
const MAX_EVENT_ID = 4_096;

/** Returns the id of the call's event behind a `seq` of its job. */
export function eventIds(call: StreamedCall): (seq: number) => string {
  const { jobId, requestId, progressToken, elicits } = call;
  const suffix = Buffer.from(JSON.stringify([requestId, progressToken, elicits])).toString("base64url");
  return (seq) => `${jobId}.${seq}.${suffix}`;
}

export type ResumedCall = StreamedCall & { readonly after: number };

/** Throws `invalid_request`. */
export function readEventId(id: string): ResumedCall {
  const [jobId, seq = "", suffix = ""] = id.length > MAX_EVENT_ID ? [] : id.split(".");
  const job = IdSchema.safeParse(jobId);
  const call = CallSchema.safeParse(readJson(Buffer.from(suffix, "base64url").toString()));
  if (!job.success || !call.success || !EventIdSchema.safeParse(seq).success) {
    throw new PlatformError("invalid_request", {
      message: "Last-Event-ID: is not the id of an event of this server",
      param: "Last-Event-ID",
    });
  }
  const [requestId, progressToken, elicits] = call.data;
  return { jobId: job.data, requestId, progressToken, elicits, after: Number(seq) };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
