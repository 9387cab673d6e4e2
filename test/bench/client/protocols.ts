/** For each kind of server: the bytes of a chat request, and the text that marks the regular end of a stream. */
import { LOOPBACK } from "../../../scripts/services/ports.ts";
import type { Protocol } from "./load.ts";

/** The key with which the benchmark starts the product. */
export const API_KEY = "ap_bench_key";

type Ask = { readonly path: string; readonly body: (message: string) => object; readonly doneMark: string };

const ASKS: Readonly<Record<Protocol, Ask>> = {
  platform: {
    path: "/api/v1/chat/completions",
    body: (message) => ({ agent_type: "chat_basic", message }),
    doneMark: '"status":"completed"',
  },
  openai: {
    path: "/v1/chat/completions",
    body: (content) => ({ model: "chat_basic", stream: true, messages: [{ role: "user", content }] }),
    doneMark: "[DONE]",
  },
  baseline: { path: "/chat", body: (message) => ({ message }), doneMark: '"status":"completed"' },
  model: {
    path: "/v1/chat/completions",
    body: (content) => ({ model: "local-model", stream: true, messages: [{ role: "user", content }] }),
    doneMark: "[DONE]",
  },
};

export const doneMarkOf = (protocol: Protocol) => ASKS[protocol].doneMark;

export function chatRequest(protocol: Protocol, message: string): string {
  const { path, body } = ASKS[protocol];
  return postRequest(path, body(message));
}

/** The body must be ASCII. */
export function postRequest(path: string, value: object): string {
  const body = JSON.stringify(value);
  return [
    `POST ${path} HTTP/1.1`,
    `Host: ${LOOPBACK}`,
    `Authorization: Bearer ${API_KEY}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    "",
    body,
  ].join("\r\n");
}
