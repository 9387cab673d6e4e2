/** A provider that answers every request with one failure. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createOpenAiProvider } from "../../packages/agents/src/model/openai/provider.ts";
import { PlatformError } from "../../packages/shared/src/errors/platform-error.ts";

export type Answer = {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
};

export const PLATFORM_KEY = "key-of-the-platform";

/** The error that a model turn throws when its provider answers so. */
export async function failureFor({ status, body, headers = {} }: Answer): Promise<PlatformError> {
  const server = createServer((_, response) => response.writeHead(status, headers).end(body)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
  const limits = { connectMs: 5_000, firstTokenMs: 5_000, idleMs: 5_000, totalMs: 5_000 };
  const provider = createOpenAiProvider({ baseUrl, apiKey: PLATFORM_KEY, limits });
  const close = async () => {
    await provider.close();
    server.close();
  };
  const model = provider.model({ defaultModel: "m", responseFormat: "none" });
  const turn = model.stream({ messages: [{ role: "user", content: "Hi" }] }, new AbortController().signal);
  return turn
    .next()
    .then(
      () => Promise.reject(new Error("the turn did not fail")),
      (error: unknown) => (error instanceof PlatformError ? error : Promise.reject(error)),
    )
    .finally(close);
}

export const json = (status: number, body: unknown): Answer => ({
  status,
  body: JSON.stringify(body),
  headers: { "content-type": "application/json" },
});
