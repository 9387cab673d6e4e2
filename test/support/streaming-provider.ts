/** A provider that answers with what a test gives it, whole and in writes of 7 bytes, and what becomes of it. */
import type { ServerResponse } from "node:http";
import { expect } from "vitest";
import type { ModelChunk, ModelTurn } from "../../packages/agents/src/model/model.ts";
import { createOpenAiProvider } from "../../packages/agents/src/model/openai/provider.ts";
import type { ModelLimits } from "../../packages/agents/src/model/watchdog.ts";
import { PlatformError } from "../../packages/shared/src/errors/platform-error.ts";
import { startLoopbackServer, writePieces } from "./loopback-server.ts";

const LIMITS: ModelLimits = { connectMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 10_000 };

export type ProviderBody = {
  /** A string stands in the body as it is; anything else is the `data` of an event. */
  readonly events: readonly unknown[];
  readonly contentType?: string;
  /** The connection breaks off behind the body, or stays open. Default: it ends. */
  readonly ending?: "breaks" | "stays";
};

export type Outcome = {
  /** The text as it stands at the end of the stream. */
  readonly shown: string;
  readonly thoughts: string;
  readonly turn: ModelTurn | null;
  readonly error: PlatformError | null;
};

export const DONE = "data: [DONE]\n\n";

/** A chunk of the first choice. */
export const delta = (delta: unknown, finish_reason: string | null = null, more: object = {}) => ({
  choices: [{ index: 0, delta, finish_reason }],
  ...more,
});

/** The same outcome, whether the answer arrives whole or cut; the ids of calls that came without one differ. */
export async function outcomeOf(body: ProviderBody | readonly unknown[], limits: Partial<ModelLimits> = {}) {
  const asked = "events" in body ? body : { events: body };
  const whole = await ask(asked, limits, false);
  expect(summaryOf(await ask(asked, limits, true))).toEqual(summaryOf(whole));
  return whole;
}

const summaryOf = ({ shown, thoughts, turn, error }: Outcome) => ({
  ...{ shown, thoughts, turn: turn && { ...turn, toolCalls: turn.toolCalls.map(({ id: _, ...call }) => call) } },
  error: error === null ? null : [error.code, error.message],
});

async function ask(body: ProviderBody, limits: Partial<ModelLimits>, isCut: boolean): Promise<Outcome> {
  const { origin, close } = await startLoopbackServer((_, response) => void write(response, body, isCut));
  const baseUrl = `${origin}/v1`;
  const provider = createOpenAiProvider({ baseUrl, apiKey: "key-of-the-platform", limits: { ...LIMITS, ...limits } });
  const model = provider.model({ defaultModel: "m", responseFormat: "none" });
  const stream = model.stream({ messages: [{ role: "user", content: "Hi" }] }, new AbortController().signal);
  const shown = { text: "", reasoning: "" };
  try {
    for (;;) {
      const step = await stream.next();
      if (step.done) return { shown: shown.text, thoughts: shown.reasoning, turn: step.value, error: null };
      show(shown, step.value);
    }
  } catch (error) {
    if (!(error instanceof PlatformError)) throw error;
    return { shown: shown.text, thoughts: shown.reasoning, turn: null, error };
  } finally {
    await provider.close();
    await close();
  }
}

function show(shown: { text: string; reasoning: string }, { type, content }: ModelChunk): void {
  if (type !== "reset") shown[type] += content;
  else Object.assign(shown, { text: "", reasoning: shown.reasoning + shown.text });
}

async function write(response: ServerResponse, body: ProviderBody, isCut: boolean): Promise<void> {
  const bytes = Buffer.from(body.events.map(toText).join(""));
  response.writeHead(200, { "content-type": body.contentType ?? "text/event-stream" });
  await writePieces(response, bytes, isCut);
  if (body.ending === "breaks") response.destroy();
  else if (body.ending === undefined) response.end();
}

const toText = (event: unknown) => (typeof event === "string" ? event : `data: ${JSON.stringify(event)}\n\n`);
