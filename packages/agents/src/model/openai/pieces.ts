/** What an answer consists of, whatever form its provider gives it. */
import type { Finish } from "./finish-reasons.ts";
import type { ToolCallPiece } from "./tool-calls.ts";
import type { ReportedUsage } from "./usage.ts";

/** `marked_text`: the provider says that it is thoughts, although it stands where the answer does. */
export type ContentType = "text" | "marked_text" | "reasoning" | "refusal";

export type Piece =
  | { readonly type: ContentType; readonly content: string }
  | { readonly type: "tool_call"; readonly call: ToolCallPiece }
  /** Of a field that the provider wants back with the turn. */
  | { readonly type: "extra"; readonly name: string; readonly value: unknown }
  | { readonly type: "usage"; readonly usage: ReportedUsage }
  | { readonly type: "finish"; readonly finish: Finish }
  /** What the provider says about its failure, in its own form. */
  | { readonly type: "failure"; readonly failure: unknown }
  /** The stream says that nothing follows. */
  | { readonly type: "end" };

/** Takes the pieces in their order. Not a list: nearly all chunks have one piece, and tokens are many. */
export type PushPiece = (piece: Piece) => void;

/** Empty content is no piece. */
export function pushContent(push: PushPiece, type: ContentType, content: string): void {
  if (content !== "") push({ type, content });
}
