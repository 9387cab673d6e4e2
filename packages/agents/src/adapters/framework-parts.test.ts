import { expect, test } from "vitest";
import { toAiSdkPart, toOpenAiAgentsPart } from "./framework-parts.ts";

const image = (url: string) => ({ type: "image_url", image_url: { url, detail: "low" } }) as const;
const file = (fields: object) => ({ type: "file", file: { filename: "a.pdf", ...fields } }) as const;

test("the AI SDK gets data with its media type, and never an address that it would fetch", () => {
  expect(toAiSdkPart(image("data:image/png;base64,aGk="))).toMatchObject({ mediaType: "image/png", data: "aGk=" });
  expect(toAiSdkPart(file({ file_data: "aGk=" }))).toMatchObject({
    ...{ type: "file", data: "aGk=", mediaType: "application/octet-stream", filename: "a.pdf" },
  });
  expect(toAiSdkPart({ type: "text", text: "Hi" })).toEqual({ type: "text", text: "Hi" });
  for (const part of [image("http://169.254.169.254/"), image("data:image/png"), file({ file_id: "f" })]) {
    expect(() => toAiSdkPart(part)).toThrow("Send its data");
  }
});

test("the OpenAI Agents SDK gets images and files as they came", () => {
  expect(toOpenAiAgentsPart(image("https://example.com/a.png"))).toEqual({
    ...{ type: "input_image", image: "https://example.com/a.png", detail: "low" },
  });
  const named = { type: "input_file", providerData: { filename: "a.pdf" } };
  expect(toOpenAiAgentsPart(file({ file_id: "f" }))).toEqual({ ...named, file: { id: "f" } });
  expect(toOpenAiAgentsPart(file({ file_data: "data:text/plain;base64,aGk=" }))).toEqual({
    ...{ ...named, file: "data:text/plain;base64,aGk=" },
  });
});
