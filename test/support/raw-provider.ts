/** A model provider of the test's own: it answers each request with what the test says about its last message. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "./api-client.ts";

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
  const server = createServer(async (req, res) => {
    const parts: Buffer[] = [];
    for await (const part of req) parts.push(part);
    const body = Buffer.concat(parts).toString();
    bodies.push(body);
    res.writeHead(200, { "Content-Type": "text/event-stream" });
    for (const chunk of answerTo(JSON.parse(body))) {
      res.write(`data: ${typeof chunk === "string" ? chunk : JSON.stringify(chunk)}\n\n`);
    }
    res.end("data: [DONE]\n\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    env: { OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1` },
    bodies,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
