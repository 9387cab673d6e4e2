/**
 * AG-UI's own client with its own verifier, and nothing but a URL and headers. All that it receives is held against the
 * OpenAPI document; `checked` rejects if something was not as the document says.
 */
import { type BaseEvent, HttpAgent, type HttpAgentConfig } from "@ag-ui/client";
import { answerChecks } from "./answer-checks.ts";

export type AgUiRun = { readonly events: readonly BaseEvent[]; readonly error: Error | null };

export function createAgUiAgent(
  origin: string,
  apiKey: string,
  { agent = "chat_basic", ...config }: Omit<HttpAgentConfig, "url"> & { readonly agent?: string } = {},
) {
  const checks: Promise<void>[] = [];

  async function check(url: string, response: Response): Promise<void> {
    // What the client has not read to its end ends here as well.
    const text = await response.text().catch(() => null);
    if (text === null) return;
    const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
    const { status, headers } = response;
    const answer = { status, headers, body: isJson ? JSON.parse(text) : text };
    (await answerChecks()).answer("POST", new URL(url).pathname, answer);
  }

  const client = new HttpAgent({
    ...config,
    url: `${origin}/api/v1/ag-ui/${agent}`,
    headers: { Authorization: `Bearer ${apiKey}`, ...config.headers },
    async fetch(url, init) {
      const response = await fetch(url, init);
      checks.push(check(url, response.clone()));
      return response;
    },
  });

  return {
    client,
    checked: () => Promise.all(checks),
    /** The events of one run, which the client has verified; and its error, if it failed. */
    async run(parameters: Parameters<HttpAgent["runAgent"]>[0] = {}): Promise<AgUiRun> {
      const events: BaseEvent[] = [];
      const seen = { onEvent: ({ event }: { event: BaseEvent }) => void events.push(event) };
      const error = await client.runAgent(parameters, seen).then(
        () => null,
        (reason: unknown) => reason as Error,
      );
      return { events, error };
    },
    say(content: string): void {
      client.addMessage({ id: crypto.randomUUID(), role: "user", content });
    },
  };
}
