/** A model provider of the test's own: it answers each request with what the test says about its last message. */
import type { Json } from "./api-client.ts";
import { startLoopbackServer } from "./loopback-server.ts";

/** The chunks of one streamed turn: the text, piece by piece, then how the turn ended. */
export const turnOf = (pieces: readonly string[], finish_reason: string): Json[] => [
  ...pieces.map((content) => ({ choices: [{ index: 0, delta: { content } }] })),
  { choices: [{ index: 0, delta: {}, finish_reason }] },
];

export type RawProvider = {
  /** The environment of workers that use it. */
  readonly env: NodeJS.ProcessEnv;
  /** The bodies of the requests, as they came. */
  readonly bodies: string[];
  close(): Promise<void>;
};

/** @param answerTo gets the request's body; returns the chunks, each as an object or as its JSON text. */
export async function startRawProvider(answerTo: (request: Json) => readonly Json[]): Promise<RawProvider> {
  const bodies: string[] = [];
  const { origin, close } = await startLoopbackServer((body, response) => {
    bodies.push(body);
    response.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const chunk of answerTo(JSON.parse(body))) {
      response.write(`data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\n\n`);
    }
    response.end("data: [DONE]\n\n");
  });
  return { env: { OPENAI_BASE_URL: `${origin}/v1` }, bodies, close };
}
