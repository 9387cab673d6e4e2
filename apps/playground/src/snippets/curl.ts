/** The line for a shell. */
import type { BaseUrl, Call } from "./call.ts";
import { JSON_TEXT, literal, shellWord } from "./literals.ts";

/** What an argument of a program may have on Linux, bytes, less some. */
const LONGEST_ARGUMENT = 100_000;

/** The key is `$AGENT_PAAS_KEY` of the shell. */
export function curlOf(call: Call, base: BaseUrl): string {
  const { path, stream, body, more = [] } = requestOf(call);
  const lines = [
    `curl ${stream ? "-N " : ""}${shellWord(`${base}api/v1/${path}`)}`,
    '-H "Authorization: Bearer $AGENT_PAAS_KEY"',
    ...more,
  ];
  if (body === undefined) return lines.join(" \\\n  ");
  const json = literal(body, JSON_TEXT);
  const isLong = new TextEncoder().encode(json).length > LONGEST_ARGUMENT;
  lines.push("-H 'Content-Type: application/json'", isLong ? "-d @- <<'JSON'" : `-d ${shellWord(json)}`);
  const line = lines.join(" \\\n  ");
  // No line of it can be the last one: its texts have no line breaks.
  return isLong ? `${line}\n${json}\nJSON` : line;
}

type Request = {
  readonly path: string;
  readonly stream?: boolean;
  readonly body?: object;
  readonly more?: readonly string[];
};

function requestOf(call: Call): Request {
  switch (call.kind) {
    case "chat":
      return { path: "chat/completions", stream: true, body: call.body };
    case "execute":
      return { path: `agents/${encodeURIComponent(call.agent)}/execute`, body: call.body };
    case "events": {
      const after = call.after === undefined ? "" : `?after=${call.after}`;
      return { path: `jobs/${encodeURIComponent(call.jobId)}/events${after}`, stream: true };
    }
    case "upload":
      return uploadOf(call);
    case "query":
      return { path: `knowledge/${encodeURIComponent(call.collection)}/query`, body: call.body };
  }
}

function uploadOf({ collection, source, text }: Extract<Call, { kind: "upload" }>): Request {
  const path = `knowledge/${encodeURIComponent(collection)}/documents`;
  if (text !== undefined) return { path, body: { text, source } };
  return {
    path: `${path}?source=${encodeURIComponent(source)}`,
    more: ["-H 'Content-Type: application/octet-stream'", `--data-binary ${shellWord(`@${source}`)}`],
  };
}
