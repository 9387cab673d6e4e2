/**
 * The official client of OpenAI, with nothing but a base URL and a key. All that it receives is held against the
 * OpenAPI document; `checked` rejects if something was not as the document says.
 */
import OpenAI, { type ClientOptions } from "openai";
import { answerChecks } from "./answer-checks.ts";

export function createOpenAiClient(origin: string, apiKey: string, options: ClientOptions = {}) {
  const checks: Promise<void>[] = [];

  async function check(method: string, url: string, response: Response): Promise<void> {
    // What the client has not read to its end ends here as well.
    const text = await response.text().catch(() => null);
    if (text === null) return;
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    const { pathname } = new URL(url);
    const { status, headers } = response;
    (await answerChecks()).answer(method, pathname, { status, headers, body: isJson ? JSON.parse(text) : text });
  }

  const client = new OpenAI({
    baseURL: `${origin}/v1`,
    apiKey,
    ...options,
    async fetch(url, init) {
      const response = await fetch(url, init);
      checks.push(check(init?.method ?? "GET", String(url), response.clone()));
      return response;
    },
  });
  return Object.assign(client, { checked: () => Promise.all(checks) });
}
