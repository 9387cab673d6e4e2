/**
 * `rag_basic`: finds passages of a collection that fit the message, gives them to the model, and returns citations of
 * the passages that the answer refers to. The passages go into the system message, so the last message is the user's
 * own.
 */
import type { Citation } from "@agent-paas/shared/contract/jobs.ts";
import type { Locale } from "@agent-paas/shared/contract/locale.ts";
import { z } from "zod";
import { type AgentContext, type AgentInput, type AgentRun, BaseAgent } from "../agent/agent.ts";
import { thought } from "../agent/events.ts";
import { answer } from "../answer/answer.ts";
import { firstMessages } from "../answer/first-messages.ts";
import { calibration } from "../model/calibration.ts";
import type { ModelMessage } from "../model/model.ts";
import { countTokens } from "../model/tokens.ts";
import type { Passage } from "../retrieval/retriever.ts";
import { citedIn, instructionsFor, toCitation } from "./citations.ts";
import { modelConfigFields, modelOptions } from "./model-config.ts";

const RagConfigSchema = z.strictObject({
  ...modelConfigFields,
  collection: z.string().min(1).max(63).describe("The collection whose documents answer."),
  top_k: z.int().min(1).max(20).default(5).describe("Most passages to look up."),
  min_score: z.number().min(0).max(1).default(0).describe("Passages that are less near to the message are left out."),
  context_tokens: z
    .int()
    .min(500)
    .max(100_000)
    .default(3_000)
    .describe("Most tokens of passages that go to the model; the best are kept."),
});

/** A message up to this length may need the previous message as context: `And in Chinese?` */
const MAX_FOLLOW_UP_TOKENS = 12;

const TEXTS: Readonly<
  Record<Locale, { searching: (collection: string) => string; nothing: string; found: (citation: Citation) => string }>
> = {
  zh: {
    searching: (collection) => `正在检索 ${collection}...`,
    nothing: "没有找到相关内容",
    found: ({ marker, source, heading }) => `${marker} ${source}${heading && `：${heading}`}`,
  },
  en: {
    searching: (collection) => `Searching ${collection}...`,
    nothing: "No passage was found",
    found: ({ marker, source, heading }) => `${marker} ${source}${heading && `: ${heading}`}`,
  },
};

export class RagAgent extends BaseAgent<typeof RagConfigSchema> {
  static readonly description = "Answers from stored documents and cites the passages that the answer rests on.";
  static readonly config = RagConfigSchema;

  async *run(input: AgentInput, context: AgentContext<z.output<typeof RagConfigSchema>>): AgentRun {
    const { config, retriever, locale, signal } = context;
    const { collection, top_k: topK, min_score: minScore } = config;
    const conversation = await firstMessages(input, { ...config, system_prompt: undefined });

    yield thought("status", TEXTS[locale].searching(collection));
    const query = queryFor(input.text, conversation);
    // Images alone say nothing to search for.
    const isQuery = query.trim() !== "";
    const found = isQuery ? await retriever.search({ collection, query, topK, minScore }, signal) : [];
    const passages = within(config.context_tokens, config.model, found);
    const citations = passages.map((passage, at) => toCitation(collection, passage, at));
    for (const citation of citations) yield thought("retrieval", TEXTS[locale].found(citation), citation);
    if (passages.length === 0) yield thought("status", TEXTS[locale].nothing);

    const system = [config.system_prompt, instructionsFor(passages)].filter((part) => part !== undefined).join("\n\n");
    const messages: ModelMessage[] = [{ role: "system", content: system }, ...conversation];
    const request = { messages, options: modelOptions(config), responseSchema: config.response_schema };
    const outcome = yield* answer(request, context);
    return { ...outcome, citations: citedIn(outcome.content, citations) };
  }
}

function queryFor(text: string, conversation: readonly ModelMessage[]): string {
  if (countTokens(text) > MAX_FOLLOW_UP_TOKENS) return text;
  const before = conversation.slice(0, -1).findLast(({ role }) => role === "user");
  return before === undefined ? text : `${before.content}\n${text}`.trim();
}

/** The longest prefix of the passages whose tokens fit together. */
function within(maxTokens: number, model: string | undefined, passages: readonly Passage[]): readonly Passage[] {
  let left = maxTokens;
  const tooMany = passages.findIndex(({ content }) => {
    left -= calibration.count(content, model);
    return left < 0;
  });
  return tooMany === -1 ? passages : passages.slice(0, tooMany);
}
