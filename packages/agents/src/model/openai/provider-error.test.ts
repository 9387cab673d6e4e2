import { expect, test } from "vitest";
import { providerError } from "./provider-error.ts";

test.each([
  [{ status: 401 }, "model_auth_failed", false],
  [{ status: 429, retryAfterMs: 2_000 }, "model_rate_limited", true],
  [{ status: 429, code: "insufficient_quota" }, "model_quota_exceeded", false],
  [{ status: 400, message: "maximum context length is 8192 tokens" }, "model_context_exceeded", false],
  [{ status: 400, message: "unknown model" }, "model_rejected", false],
  [{ status: 503 }, "model_unavailable", true],
  [{}, "model_stream_broken", true],
])("a provider's failure %j is %s", (failure, code, retryable) => {
  expect(providerError(failure)).toMatchObject({ code, retryable });
});

test("the original error is kept for the log, and secrets in the provider's words are hidden", () => {
  const cause = new Error("original");
  const error = providerError({ status: 400, message: "bad key sk-abcdefghijklmnop", cause });
  expect(error.cause).toBe(cause);
  expect(error.message).not.toContain("abcdefghijklmnop");
});
