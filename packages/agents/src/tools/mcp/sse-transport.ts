/**
 * The HTTP transport of protocol 2024-11-05: one stream for all that the server says, and a POST for each message to
 * it. The SDK's transport opens its stream again when it breaks, which is a new session that nobody has initialized; so
 * here the first break is the end.
 */
import { SSEClientTransport, type SSEClientTransportOptions, SseError } from "@modelcontextprotocol/sdk/client/sse.js";
import type { Transport } from "@modelcontextprotocol/sdk/shared/transport.js";

export function createSseTransport(url: URL, options: SSEClientTransportOptions): Transport {
  const stream = new SSEClientTransport(url, options);
  let isClosed = false;

  const transport: Transport = {
    setProtocolVersion: (version) => stream.setProtocolVersion(version),
    async start() {
      await stream.start();
      stream.onmessage = (message) => transport.onmessage?.(message);
      stream.onerror = (error) => {
        transport.onerror?.(error);
        if (error instanceof SseError) void transport.close();
      };
    },
    send: (message) => stream.send(message),
    async close() {
      if (isClosed) return;
      isClosed = true;
      await stream.close();
      transport.onclose?.();
    },
  };
  return transport;
}
