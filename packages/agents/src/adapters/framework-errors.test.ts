import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { asPlatformError, streamError } from "./framework-errors.ts";

const named = (name: string, more: object = {}) => Object.assign(new Error(`words of ${name}`), { name }, more);
const stacked = (frame: string, more: object = {}) =>
  Object.assign(new Error("broken"), {
    stack: `Error: broken\n    at ${frame}\n    at agent (file:///agent.ts:1:1)`,
    ...more,
  });

test.each([
  ["MaxTurnsExceededError", "budget_exhausted", "words of MaxTurnsExceededError"],
  ["GraphRecursionError", "budget_exhausted", "words of GraphRecursionError"],
  ["ModelBehaviorError", "agent_failed", "words of ModelBehaviorError"],
  ["AI_UnsupportedFunctionalityError", "model_input_unsupported", "words of AI_UnsupportedFunctionalityError"],
  ["ModelRefusalError", "model_refused", "The model refused to answer."],
  ["InputGuardrailTripwireTriggered", "guardrail_triggered", "A guardrail of the agent stopped the answer."],
  ["AI_JSONParseError", "model_stream_broken", expect.any(String)],
])("the error %s of a framework is %s", (name, code, message) => {
  expect(asPlatformError(named(name))).toMatchObject({ code, message });
  expect(asPlatformError(named("Error", { cause: named(name) }))).toMatchObject({ code });
});

test("a guardrail is named, and what it found stays in the log", () => {
  const result = { guardrail: { name: "no weapons" }, output: { outputInfo: "found" } };
  const error = asPlatformError(named("OutputGuardrailTripwireTriggered", { result })) as PlatformError;
  expect(error.message).toBe('The guardrail "no weapons" stopped the answer.');
});

test("an error of OpenAI's client is a broken stream where it reads one, and no other error is", () => {
  const frame = "Stream.iterator (file:///a/node_modules/openai/core/streaming.mjs:1:2)";
  expect(asPlatformError(stacked(frame))).toMatchObject({ code: "model_stream_broken" });
  expect(asPlatformError(stacked(frame, { code: "insufficient_quota" }))).toMatchObject({
    code: "model_quota_exceeded",
  });
  const own = stacked("parse (file:///agent.ts:2:2)");
  expect(asPlatformError(own)).toBe(own);
});

test("a provider's words in a stream are a failure in any form", () => {
  expect(streamError("the server had an error")).toMatchObject({ code: "model_stream_broken" });
  expect(streamError({ code: "insufficient_quota", message: "no more" })).toMatchObject({
    code: "model_quota_exceeded",
  });
  expect(streamError(null)).toBeInstanceOf(PlatformError);
});
