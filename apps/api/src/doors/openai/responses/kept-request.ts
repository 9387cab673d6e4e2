/** What the job of a response keeps of its request: what the response shows again, and what its question followed. */
import { type GivenMessage, GivenMessageSchema } from "@agent-paas/shared/contract/given-messages.ts";
import { z } from "zod";
import type { ResponseRequest } from "./request.ts";

const JsonObject = z.record(z.string(), z.unknown());

/** As a response shows them. The defaults are those of jobs that came through other doors. */
export const EchoSchema = z.object({
  background: z.boolean().default(false),
  conversation: z.object({ id: z.string() }).nullable().default(null),
  instructions: z.string().nullable().default(null),
  max_output_tokens: z.int().nullable().default(null),
  max_tool_calls: z.int().nullable().default(null),
  parallel_tool_calls: z.boolean().default(true),
  previous_response_id: z.string().nullable().default(null),
  prompt_cache_key: z.string().nullable().default(null),
  reasoning: JsonObject.default({ effort: null, summary: null }),
  safety_identifier: z.string().nullable().default(null),
  service_tier: z.string().default("default"),
  store: z.boolean().default(true),
  temperature: z.number().nullable().default(null),
  text: JsonObject.default({ format: { type: "text" } }),
  tool_choice: z.union([z.string(), JsonObject]).default("auto"),
  tools: z.array(JsonObject).default([]),
  top_logprobs: z.literal(0).default(0),
  top_p: z.number().nullable().default(null),
  truncation: z.literal("disabled").default("disabled"),
  user: z.string().nullable().default(null),
});
export type Echo = z.infer<typeof EchoSchema>;

const KeptSchema = z.object({
  /** The door that wrote it. */
  door: z.literal("responses"),
  echo: EchoSchema,
  /** Messages of the request before its question. The session has the question. */
  earlier: z.array(GivenMessageSchema),
});

export type Kept = Pick<z.infer<typeof KeptSchema>, "echo" | "earlier">;

/** Null for a job that came through another door. */
export const keptOf = (request: unknown): Kept | null => KeptSchema.safeParse(request).data ?? null;

export const NOTHING_KEPT: Kept = { echo: EchoSchema.parse({}), earlier: [] };

export const encodeKept = ({
  echo,
  earlier,
}: {
  readonly echo: Echo;
  readonly earlier: readonly GivenMessage[];
}): Record<string, unknown> => ({
  door: "responses",
  echo,
  earlier,
});

/** @param previous and `conversation` in the form in which responses show them. */
export function echoOf(request: ResponseRequest, previous: string | null, conversation: string | null): Echo {
  const { text, reasoning, stream_options, config, limits, metadata, input, model, ...fields } = request;
  return EchoSchema.parse({
    ...fields,
    tools: request.tools.map((tool) => ({ description: null, parameters: null, strict: null, ...tool })),
    text: { ...text, format: text?.format ?? { type: "text" } },
    reasoning: { effort: null, summary: null, ...reasoning },
    service_tier: request.service_tier === "auto" ? "default" : request.service_tier,
    previous_response_id: previous,
    conversation: conversation === null ? null : { id: conversation },
  });
}
