/** The messages of the door as the OpenAPI document has them. */
import { CitationSchema, FinishReasonSchema, JOB_STATUSES, UsageSchema } from "@agent-paas/shared/contract/jobs.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { z } from "zod";
import { MessageSchema, ProgressTokenSchema, RequestIdSchema } from "./protocol.ts";

const SESSION_ID = "019a8d3e-52ff-7d10-b8a9-0c1d2e3f4a5b";
const JOB_ID = "019a8d3e-5301-7b92-9c0d-4e5f6a7b8c9d";
const USAGE = { input_tokens: 12, output_tokens: 34, total_tokens: 46 };

const CALL = {
  ...{ jsonrpc: "2.0", id: 1, method: "tools/call" },
  params: { name: "chat_basic", arguments: { message: "Hello" }, _meta: { progressToken: 1 } },
};

export const RequestSchema = MessageSchema.meta({
  id: "McpMessage",
  description: "A request, a notification (without `id`), or the answer to a request of the server (without `method`).",
  examples: [CALL],
});

const response = (result: z.ZodType) => z.object({ jsonrpc: z.literal("2.0"), id: RequestIdSchema, result });
const serverInfo = z.object({ name: z.string(), title: z.string(), version: z.string() });
/** Only the revision without a handshake says what a result is, and who sends it. */
const modern = { resultType: z.literal("complete").optional(), _meta: z.looseObject({}).optional() };
const cacheable = { ttlMs: z.int().optional(), cacheScope: z.literal("private").optional() };
const capabilities = z.object({ tools: z.object({}) });

const InitializeResultSchema = z.object({
  ...{ protocolVersion: z.string(), capabilities, serverInfo, instructions: z.string() },
});

const DiscoverResultSchema = z.object({
  ...{ ...modern, ...cacheable, supportedVersions: z.array(z.string()), capabilities, instructions: z.string() },
});

const JsonSchemaSchema = z.looseObject({ type: z.literal("object") });

const ListResultSchema = z.object({
  ...modern,
  ...cacheable,
  tools: z.array(
    z.object({
      name: z.string(),
      description: z.string(),
      inputSchema: JsonSchemaSchema,
      outputSchema: JsonSchemaSchema.optional(),
    }),
  ),
});

export const CallResultSchema = z
  .object({
    ...modern,
    content: z.array(
      z.object({
        type: z.literal("text"),
        text: z.string(),
        annotations: z.object({ audience: z.array(z.enum(["user", "assistant"])) }).optional(),
      }),
    ),
    structuredContent: z.looseObject({}).optional().describe("The answer, where it is an object."),
    isError: z.boolean(),
    // Errors have further fields, as those of the native wire.
    _meta: z.looseObject({
      job_id: IdSchema.optional(),
      session_id: IdSchema.nullable().optional(),
      status: z.enum(JOB_STATUSES).optional(),
      usage: UsageSchema.nullable().optional(),
      finish_reason: FinishReasonSchema.optional(),
      citations: z.array(CitationSchema).optional(),
      error: z.object({ code: z.string(), message: z.string(), retryable: z.boolean() }).optional(),
    }),
  })
  .meta({
    id: "McpCallResult",
    description: "The first text is the answer, or begins with the code of the error.",
    examples: [
      {
        content: [{ type: "text", text: "Hello! How can I help?" }],
        isError: false,
        _meta: { job_id: JOB_ID, session_id: SESSION_ID, status: "completed", usage: USAGE, finish_reason: "stop" },
      },
    ],
  });

const elicitation = z.object({
  mode: z.literal("form"),
  message: z.string(),
  requestedSchema: z.looseObject({ type: z.literal("object") }),
});

const InputRequiredResultSchema = z.object({
  resultType: z.literal("input_required"),
  inputRequests: z.record(z.string(), z.object({ method: z.literal("elicitation/create"), params: elicitation })),
  requestState: z.string(),
  _meta: z.looseObject({}),
});

const RpcErrorSchema = z.object({
  jsonrpc: z.literal("2.0"),
  id: RequestIdSchema,
  error: z.object({ code: z.int(), message: z.string() }),
});

const CallAnswerSchema = z.union([response(z.union([CallResultSchema, InputRequiredResultSchema])), RpcErrorSchema]);

export const AnswerSchema = z.union([
  response(z.union([InitializeResultSchema, DiscoverResultSchema, ListResultSchema, z.object({})])),
  CallAnswerSchema,
]);

const ProgressSchema = z.object({
  jsonrpc: z.literal("2.0"),
  method: z.literal("notifications/progress"),
  params: z.object({
    progressToken: ProgressTokenSchema,
    progress: z.number().describe("Rises."),
    total: z.number().optional().describe("Of an agent that says how far it is."),
    message: z.string().optional(),
  }),
});

const QuestionSchema = z.object({
  ...{ jsonrpc: z.literal("2.0"), id: z.string(), method: z.literal("elicitation/create"), params: elicitation },
});

export const EventSchema = z
  .object({
    id: z.string().optional().describe("`Last-Event-ID` continues behind it. None with the revision of 2026-07-28."),
    event: z.literal("message"),
    data: z.union([ProgressSchema, QuestionSchema, CallAnswerSchema]),
  })
  .meta({
    id: "McpStreamEvent",
    description: "One Server-Sent Event. The last one is the response to the request.",
  });
