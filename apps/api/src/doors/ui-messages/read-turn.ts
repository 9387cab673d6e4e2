/** What a request adds to its chat: a question, or replies to what the assistant's last message asks. */
import type { ToolResult } from "@agent-paas/shared/contract/client-tools.ts";
import type { Decision } from "@agent-paas/shared/contract/inquiries.ts";
import type { MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { IdSchema } from "@agent-paas/shared/ids.ts";
import { ToolResultsSchema } from "../../validation/client-tools.ts";
import { checkParts, type PartLimits } from "../../validation/message-parts.ts";
import { validate } from "../../validation/validate.ts";
import { type ChatRequest, isToolPart, type ToolPart, type UiMessage, type UiPart } from "./chat-request.ts";

export type Question = {
  readonly kind: "question";
  readonly text: string;
  readonly parts?: readonly MessagePart[];
  /** Set for a question that is asked again, or with other words: the job that it follows; null for none. */
  readonly follows?: string | null;
  /** What the client's tools have answered in the message before, which an earlier request may have brought. */
  readonly toolResults: readonly ToolResult[];
};

/** A reply to an approval has its id; one to a call, that of the call. */
export type Reply = { readonly id: string } & (
  | { readonly kind: "approval"; readonly approved: boolean; readonly reason: string | undefined }
  | { readonly kind: "output"; readonly output: unknown }
  | { readonly kind: "output_error"; readonly errorText: string }
);

export type Replies = {
  readonly kind: "replies";
  /** The message that the answer goes on with. */
  readonly messageId: string;
  readonly replies: readonly Reply[];
  /** The ids of all approvals and calls that the message shows. */
  readonly shown: ReadonlySet<string>;
};

/** Throws `invalid_request` or `payload_too_large`. */
export function readTurn(request: ChatRequest, limits: PartLimits): Question | Replies {
  const { messages } = request;
  const at = messages.findLastIndex(({ role }) => role === "assistant");
  const fresh = messages.slice(at + 1).filter(({ role }) => role === "user");
  const said = messages[at];
  const replies = said === undefined ? [] : repliesOf(said);
  if (fresh.length > 0) {
    // Those that do not fit were refused when they were sent, and are not to keep the chat from going on.
    const toolResults = ToolResultsSchema.safeParse(resultsOf(replies)).data ?? [];
    return { kind: "question", ...readQuestion(fresh, limits), ...placeOf(request, said), toolResults };
  }
  if (said === undefined || replies.length === 0) {
    throw invalid("messages", "expected a message of the user, or replies in the last message of the assistant");
  }
  return { kind: "replies", messageId: said.id, replies, shown: new Set(said.parts.filter(isToolPart).flatMap(idsOf)) };
}

function readQuestion(messages: readonly UiMessage[], limits: PartLimits): Pick<Question, "text" | "parts"> {
  const parts = messages.flatMap((message) => message.parts.flatMap((part) => partOf(part)));
  // A client whose user has sent just a file sends the empty field, too.
  const filled = parts.filter((part) => part.type !== "text" || String(part.text).trim() !== "");
  const { text, parts: checked } = checkParts(filled.length === 0 ? parts : filled, limits, "messages");
  const isText = checked.every(({ type }) => type === "text");
  return { text, ...(isText ? {} : { parts: checked }) };
}

/** A client that asks again has dropped what came after the answer that it keeps. */
function placeOf({ trigger, messageId }: ChatRequest, before: UiMessage | undefined): Pick<Question, "follows"> {
  if (trigger !== "regenerate-message" && messageId === undefined) return {};
  if (before === undefined) return { follows: null };
  const { jobId = before.id } = (before.metadata ?? {}) as { readonly jobId?: unknown };
  return { follows: validate(IdSchema, jobId, ["messages", 0, "id"]) };
}

function partOf(part: UiPart): MessagePart[] {
  const { type, text, mediaType, url, filename } = part;
  if (type === "text") return [{ type, text: text as string }];
  // The client's own; they are not for the agent.
  if (type.startsWith("data-")) return [];
  if (type !== "file") throw invalid("messages", `a message of the user cannot have a part of type ${type}`);
  if (typeof mediaType !== "string" || typeof url !== "string")
    throw invalid("messages", "a file needs a mediaType and a url");
  if (mediaType.split("/")[0] === "image") return [{ type: "image_url", image_url: { url } }];
  return [{ type, file: { file_data: url, ...(typeof filename === "string" ? { filename } : {}) } }];
}

const idsOf = ({ toolCallId, approval }: ToolPart) => [toolCallId, ...(approval === undefined ? [] : [approval.id])];

/** In the message's last step: those before were sent before. */
function repliesOf({ parts }: UiMessage): Reply[] {
  const step = parts.slice(parts.findLastIndex(({ type }) => type === "step-start") + 1);
  return step.filter(isToolPart).flatMap((part): Reply[] => {
    const { toolCallId: id, state, approval, providerExecuted, output, errorText = "" } = part;
    if (state === "approval-responded" && approval !== undefined) {
      return [{ kind: "approval", id: approval.id, approved: approval.approved === true, reason: approval.reason }];
    }
    if (providerExecuted === true) return [];
    if (state === "output-available") return [{ kind: "output", id, output }];
    return state === "output-error" ? [{ kind: "output_error", id, errorText }] : [];
  });
}

/** A reply as the decision on what a job has asked. */
export function decisionOf(reply: Reply): Decision {
  if (reply.kind === "output") return { decision: "answer", answer: reply.output };
  const reason = reply.kind === "approval" ? reply.reason : reply.errorText;
  const decision = reply.kind === "approval" && reply.approved ? "approve" : "reject";
  return { decision, ...(reason === undefined ? {} : { reason }) };
}

/** The replies to calls of the client's tools. Throws `invalid_request`. */
export function toolResultsOf({ replies }: Replies): readonly ToolResult[] {
  const results = resultsOf(replies);
  if (results.length === 0) throw invalid("messages", "no job of the chat has asked for what is approved");
  return validate(ToolResultsSchema, results, ["messages"]) ?? [];
}

const resultsOf = (replies: readonly Reply[]) =>
  replies.flatMap((reply) => {
    if (reply.kind === "approval") return [];
    return [{ call_id: reply.id, content: reply.kind === "output" ? asText(reply.output) : reply.errorText }];
  });

/** As the model reads it. */
const asText = (output: unknown): string => (typeof output === "string" ? output : (JSON.stringify(output) ?? ""));

const invalid = (param: string, problem: string): PlatformError =>
  new PlatformError("invalid_request", { message: `${param}: ${problem}`, param });
