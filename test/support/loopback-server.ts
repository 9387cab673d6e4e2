/** A server of the test's own on loopback, and answers that arrive in pieces. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export type LoopbackServer = {
  /** Without a slash at the end. */
  readonly origin: string;
  /** Open connections are closed as well. */
  close(): Promise<void>;
};

export type OnRequest = (body: string, response: ServerResponse, request: IncomingMessage) => void;

export async function startLoopbackServer(onRequest: OnRequest): Promise<LoopbackServer> {
  const server = createServer(async (request, response) => onRequest(await text(request), response, request));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const CUT_BYTES = 7;

/** Writes the bytes whole, or in pieces of 7 bytes that the socket sends one by one. Does not end the answer. */
export async function writePieces(response: ServerResponse, bytes: Buffer, isCut: boolean): Promise<void> {
  const size = isCut ? CUT_BYTES : Math.max(1, bytes.length);
  for (let at = 0; at < bytes.length; at += size) {
    response.write(bytes.subarray(at, at + size));
    // Lets the socket send the piece before the next one joins it.
    await new Promise(setImmediate);
  }
}
