/** A provider on the loopback that answers each request as a test wants, and keeps what it was asked. */
import type { ModelRequest, ModelTurn } from "../../packages/agents/src/model/model.ts";
import { createOpenAiProvider, type OpenAiModelOptions } from "../../packages/agents/src/model/openai/provider.ts";
import { PlatformError } from "../../packages/shared/src/errors/platform-error.ts";
import { startLoopbackServer } from "./loopback-server.ts";

export type Answer = {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
};

// biome-ignore lint/suspicious/noExplicitAny: the body of a request, of which each test reads what it asks about
export type Asked = any;

export const json = (status: number, body: unknown): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});

/** A stream of these chunks. */
export const stream = (...chunks: readonly object[]): Answer => ({
  status: 200,
  body: `${chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join("")}data: [DONE]\n\n`,
  headers: { "content-type": "text/event-stream" },
});

/** The stream of an answer with this text. */
export const says = (content: string): Answer =>
  stream({ choices: [{ delta: { content } }] }, { choices: [{ delta: {}, finish_reason: "stop" }] });

export const PLATFORM_KEY = "key-of-the-platform";
export const PATIENT = { connectMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 5_000 };

export type ScriptedProvider = {
  readonly baseUrl: string;
  /** The bodies of all requests so far. */
  readonly asked: readonly Asked[];
  readonly provider: ReturnType<typeof createOpenAiProvider>;
  /** A whole turn. */
  ask(request?: Partial<ModelRequest>): Promise<ModelTurn>;
};

/** Calls `use` with a provider, and closes it. `answer` gets each request's body and its number from 0. */
export async function withProvider<T>(
  answer: (body: Asked, at: number) => Answer,
  use: (scripted: ScriptedProvider) => Promise<T>,
  options: Partial<OpenAiModelOptions> = {},
): Promise<T> {
  const asked: Asked[] = [];
  const { origin, close } = await startLoopbackServer((text, response) => {
    const body: Asked = JSON.parse(text);
    asked.push(body);
    const { status, headers = {}, body: answered } = answer(body, asked.length - 1);
    response.writeHead(status, headers).end(answered);
  });
  const baseUrl = `${origin}/v1`;
  const provider = createOpenAiProvider({ baseUrl, apiKey: PLATFORM_KEY, limits: PATIENT });
  const model = provider.model({ defaultModel: "m", responseFormat: "none", ...options });
  try {
    return await use({
      baseUrl,
      asked,
      provider,
      async ask(request = {}) {
        const turn = model.stream(
          { messages: [{ role: "user", content: "Hi" }], ...request },
          new AbortController().signal,
        );
        for (;;) {
          const step = await turn.next();
          if (step.done) return step.value;
        }
      },
    });
  } finally {
    await provider.close();
    await close();
  }
}

/** The error that a model turn throws when its provider answers so. */
export const failureFor = (answer: Answer): Promise<PlatformError> =>
  withProvider(
    () => answer,
    ({ ask }) => failureOf(ask()),
  );

export const failureOf = (turn: Promise<unknown>): Promise<PlatformError> =>
  turn.then(
    () => Promise.reject(new Error("it did not fail")),
    (error: unknown) => (error instanceof PlatformError ? error : Promise.reject(error)),
  );
