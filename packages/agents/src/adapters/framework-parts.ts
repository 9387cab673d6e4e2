/** Images and files of a message in the forms of the frameworks. */
import type { FilePart, MessagePart } from "@agent-paas/shared/contract/message-parts.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

const UNKNOWN_TYPE = "application/octet-stream";

/**
 * In the form of the AI SDK, which fetches an image of the web by itself: the worker must not be led to any address.
 */
export function toAiSdkPart(part: MessagePart): object {
  if (part.type === "text") return part;
  const { data, filename } =
    part.type === "file" ? { data: dataUrlOf(part), filename: part.file.filename } : { data: part.image_url.url };
  const comma = data.indexOf(",");
  if (!data.startsWith("data:") || comma === -1) {
    const message = "The AI SDK would fetch this part itself. Send its data, as a data URL.";
    throw new PlatformError("model_input_unsupported", { message, param: "message" });
  }
  const [mediaType = UNKNOWN_TYPE] = data.slice("data:".length, comma).split(";");
  return { type: "file", data: data.slice(comma + 1), mediaType, filename };
}

/** In the form of the OpenAI Agents SDK. */
export function toOpenAiAgentsPart(part: MessagePart): object {
  if (part.type === "text") return { type: "input_text", text: part.text };
  if (part.type === "image_url") {
    const { url, detail } = part.image_url;
    return { type: "input_image", image: url, ...(detail === undefined ? {} : { detail }) };
  }
  const { file_id, filename } = part.file;
  const file = file_id === undefined ? dataUrlOf(part) : { id: file_id };
  return { type: "input_file", file, ...(filename === undefined ? {} : { providerData: { filename } }) };
}

/** Empty for a file that only the provider has. */
function dataUrlOf({ file: { file_data = "" } }: FilePart): string {
  return file_data === "" || file_data.startsWith("data:") ? file_data : `data:${UNKNOWN_TYPE};base64,${file_data}`;
}
