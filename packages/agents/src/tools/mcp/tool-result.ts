/** Turns a server's result into text for the model. Content that is no text is replaced by its kind and size. */
import type { CallToolResult, ContentBlock } from "@modelcontextprotocol/sdk/types.js";
import { ToolError } from "../tool.ts";

/** Throws a `ToolError` with the server's message when the result is marked as an error. */
export function readResult({ content, structuredContent, isError }: CallToolResult): unknown {
  const text = content.map(describe).join("\n");
  if (isError) throw new ToolError(text || "The tool failed and did not say why.");
  const hasText = content.some(({ type }) => type === "text");
  return hasText ? text : (structuredContent ?? text);
}

function describe(part: ContentBlock): string {
  switch (part.type) {
    case "text":
      return part.text;
    case "image":
    case "audio":
      return `[${part.type} ${part.mimeType}, ${sizeOf(part.data)}]`;
    case "resource_link":
      return `[resource ${part.name} at ${part.uri}${part.description ? `: ${part.description}` : ""}]`;
    case "resource": {
      const { uri, mimeType = "of unknown type" } = part.resource;
      return "text" in part.resource
        ? `[resource ${uri} ${mimeType}]\n${part.resource.text}`
        : `[resource ${uri} ${mimeType}, ${sizeOf(part.resource.blob)}]`;
    }
  }
}

function sizeOf(base64: string): string {
  const bytes = Buffer.byteLength(base64, "base64");
  return bytes < 1_000 ? `${bytes} bytes` : `${Math.round(bytes / 1_000)} kB`;
}
