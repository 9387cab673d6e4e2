/** The headers that routes read and set, each described once. */
import { z } from "zod";

/** The id of an event, as the text of a header or of the query. */
export const EventIdSchema = z.string().regex(/^\d{1,15}$/, "expected the id of an event, a whole number");

export const REQUEST_HEADERS = {
  "Idempotency-Key": z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, "expected 1 to 255 printable ASCII characters")
    .describe("The same key and body join the same job, for 24 hours; the same key with another body gets 409."),
  "Last-Event-ID": EventIdSchema.describe("The `id` of the last event that the client has seen; overrides `after`."),
  "Accept-Language": z
    .string()
    .describe("The language of status texts: `zh` or `en`. Without it, that of the message.")
    .meta({ examples: ["en"] }),
  "X-Session-Id": z
    .string()
    .min(1)
    .max(255)
    .describe("A session, by any id that the client gives it; it begins with the first request that names it."),
  "X-Cancel-On-Disconnect": z
    .enum(["true", "false"])
    .describe("`true`: the job is cancelled if the client goes away before its answer is whole."),
  "MCP-Protocol-Version": z
    .string()
    .describe("The revision of the protocol. Without it: 2025-03-26.")
    .meta({ examples: ["2025-11-25"] }),
  "Mcp-Session-Id": z.string().describe("What `initialize` gave. Without it, calls cannot be cancelled by their id."),
  "Mcp-Method": z.string().describe("The message's method; from revision 2026-07-28 on."),
  "Mcp-Name": z.string().describe("The tool's name; from revision 2026-07-28 on."),
  traceparent: z.string().describe("W3C Trace Context, with which the job continues the trace."),
} as const;
export type RequestHeader = keyof typeof REQUEST_HEADERS;

/** What every request that starts a job may have. */
export const JOB_REQUEST_HEADERS = ["Idempotency-Key", "Accept-Language", "traceparent"] as const;

export const RESPONSE_HEADERS = {
  "X-Request-Id": z.string().describe("The id of the request, in every log line of it and of its job."),
  "X-Job-Id": z.uuid().describe("The job that the request started or joined."),
  "X-Session-Id": z.uuid().describe("The session of the job; absent for a job outside any session."),
  Location: z.string().describe("Where the job, or its stream, is found again."),
  "Mcp-Session-Id": z.string().describe("For the client's further messages. Nothing is kept under it."),
  "Retry-After": z.int().min(0).describe("When to ask again, seconds."),
  "WWW-Authenticate": z.string().describe("`Bearer`."),
} as const;
export type ResponseHeader = keyof typeof RESPONSE_HEADERS;
