/** A tool of the client, and what the model was asked about it. */
import { expect } from "vitest";
import type { Json } from "./api-client.ts";
import type { TestPlatform } from "./platform.ts";

export const SCREEN = {
  name: "read_screen",
  description: "Reads what the user sees.",
  parameters: { type: "object", properties: { line: { type: "number" } } },
};

export type Sent = { readonly messages: readonly Json[] /** Their names. */; readonly tools: readonly string[] };

/** The latest request to the model whose last user message contains the text. */
export async function sentIn({ model }: Pick<TestPlatform, "model">, contains: string): Promise<Sent> {
  const call = (await model.calls({ contains })).at(-1);
  return (await model.call(call?.id ?? 0)) as unknown as Sent;
}

/** Each call is followed by its result, and each result follows its call. */
export function expectPairs(messages: readonly Json[]): void {
  const called = messages.flatMap(({ tool_calls = [] }) => tool_calls.map(({ id }: Json) => id));
  const answered = messages.filter(({ role }) => role === "tool").map(({ tool_call_id }) => tool_call_id);
  expect(answered).toEqual(called);
}
