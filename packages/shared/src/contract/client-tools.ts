/**
 * Client tools: tools that a request brings and that its client runs itself. A call to one ends the job; the next
 * request of the conversation brings the result.
 */
import { z } from "zod";

const JsonObject = z.record(z.string(), z.unknown());

export const ClientToolSchema = z.object({
  name: z.string(),
  description: z.string().optional(),
  /** JSON Schema of the arguments, an object. Default: no arguments. */
  parameters: JsonObject.optional(),
});
export type ClientTool = Readonly<z.infer<typeof ClientToolSchema>>;

/**
 * Whether the model may call tools (`auto`, the default), may not, must call one, or which one it must call. A call
 * that is demanded is demanded of the job's first model turn alone.
 */
export const ToolChoiceSchema = z.union([z.enum(["auto", "none", "required"]), z.object({ name: z.string() })]);
export type ToolChoice = Readonly<z.infer<typeof ToolChoiceSchema>>;

/** The result of a call, as the model reads it. */
export const ToolResultSchema = z.object({ call_id: z.string(), content: z.string() });
export type ToolResult = Readonly<z.infer<typeof ToolResultSchema>>;

export const ClientCallSchema = z
  .object({
    call_id: z.string(),
    name: z.string(),
    arguments: z.string().describe("JSON, character by character as the model wrote it; `{}` if it wrote none."),
  })
  .meta({ id: "ClientCall", description: "A call of a tool that the client runs." });
export type ClientCall = Readonly<z.infer<typeof ClientCallSchema>>;

/** How an answer ends that calls the client's tools. */
export const TOOL_CALLS = "tool_calls";
