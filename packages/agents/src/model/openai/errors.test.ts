/** What the failures of providers mean, and when to try again. */
import { DAY, HOUR } from "@agent-paas/shared/time.ts";
import { describe, expect, test } from "vitest";
import { type Answer, failureFor, json } from "../../../../../test/support/scripted-provider.ts";
import { providerFailure } from "./errors.ts";

describe("other failures", () => {
  test.each<[what: string, answer: Answer, code: string]>([
    [
      "a wrong key, at OpenAI",
      json(401, { error: { message: "Incorrect API key provided: sk-1234567890" } }),
      "model_auth_failed",
    ],
    [
      "a wrong key, at Gemini",
      json(400, [
        {
          error: { code: 400, message: "API key not valid. Please pass a valid API key.", status: "INVALID_ARGUMENT" },
        },
      ]),
      "model_auth_failed",
    ],
    [
      "a wrong key, at DeepSeek",
      json(401, { error: { message: "Authentication Fails (governor)" } }),
      "model_auth_failed",
    ],
    [
      "a wrong key that a gateway reports",
      json(500, { error: { message: "Unauthorized", code: 401 } }),
      "model_auth_failed",
    ],
    ["403 alone", { status: 403, body: "" }, "model_auth_failed"],
    [
      "a region",
      json(403, {
        error: { code: "unsupported_country_region_territory", message: "Country, region, or territory not supported" },
      }),
      "model_rejected",
    ],
    [
      "moderation",
      json(403, {
        error: { code: 403, message: "x requires moderation. Your input was flagged", metadata: { reasons: ["x"] } },
      }),
      "model_rejected",
    ],
    [
      "a model without access",
      json(403, { error: { message: "No access to it.", code: "model_not_found" } }),
      "model_rejected",
    ],
    [
      "the page of a firewall",
      { status: 403, body: "<!doctype html><title>Attention Required!</title>" },
      "model_rejected",
    ],
    [
      "529",
      json(529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }),
      "model_unavailable",
    ],
    [
      "a status in the body",
      json(500, { error: { status: "RESOURCE_EXHAUSTED", message: "Later." } }),
      "model_rate_limited",
    ],
    [
      "throttling with 400",
      json(400, { __type: "ThrottlingException", message: "Rate exceeded" }),
      "model_rate_limited",
    ],
    [
      "a model that loads",
      json(503, { error: "Model x is currently loading", estimated_time: 20.5 }),
      "model_unavailable",
    ],
    ["502 as a page", { status: 502, body: "<html><title>502 Bad Gateway</title></html>" }, "model_unavailable"],
    [
      "a template without tools",
      json(500, { error: { code: 500, message: "roles must alternate user/assistant" } }),
      "model_rejected",
    ],
    ["408", { status: 408, body: "" }, "model_timeout"],
    ["424", json(424, { message: "The model failed." }), "model_unavailable"],
  ])("%s", async (_, answer, code) => {
    expect((await failureFor(answer)).code).toBe(code);
  });

  test("a refused setting is named as the field of the config", async () => {
    const answer = json(400, {
      error: {
        message: "Unsupported value: 'temperature' does not support 0.2 with this model.",
        type: "invalid_request_error",
        param: "temperature",
        code: "unsupported_value",
      },
    });
    expect(await failureFor(answer)).toMatchObject({
      code: "model_rejected",
      param: "config.temperature",
      message: expect.stringMatching(/^The model provider rejected config\.temperature: Unsupported value/),
    });
  });
});

describe("how long to wait", () => {
  const soon = () => new Date(Date.now() + HOUR).toUTCString();
  test.each<[by: string, headers: Record<string, string>, body: string, ms: number | null]>([
    ["seconds", { "retry-after": "7" }, "", 7_000],
    ["a fraction", { "retry-after": "0.5" }, "", 500],
    ["milliseconds", { "retry-after-ms": "1500", "retry-after": "9" }, "", 1_500],
    ["Azure's milliseconds", { "x-ms-retry-after-ms": "250" }, "", 250],
    ["a day", { "retry-after": "86400" }, "", DAY],
    ["more than a day", { "retry-after": "999999999" }, "", DAY],
    ["the past", { "retry-after": "Wed, 21 Oct 2015 07:28:00 GMT" }, "", 0],
    ["a duration", { "retry-after": "1m30s" }, "", 90_000],
    ["nonsense", { "retry-after": "soon" }, "", null],
    ["words", {}, "Rate limit reached. Please try again in 1m30.5s. Visit us", 90_500],
    ["words in milliseconds", {}, "Please try again in 20ms.", 20],
    ["Azure's words", {}, "Please retry after 22 seconds.", 22_000],
  ])("a wait is read from %s", async (_, headers, body, ms) => {
    expect((await failureFor({ status: 429, body, headers })).retryAfterMs).toBe(ms);
  });

  test("a wait is read from a date, and a long one is told to the user", async () => {
    const error = await failureFor({ status: 429, body: "", headers: { "retry-after": soon() } });
    expect(error.retryAfterMs).toBeGreaterThan(HOUR - 5_000);
    expect(error.retryAfterMs).toBeLessThanOrEqual(HOUR);
    const aDay = await failureFor({ status: 429, body: "", headers: { "retry-after": "86400" } });
    expect(aDay.message).toBe("The model provider limits the rate of requests. The provider asks to wait 86400 s.");
  });
});

describe("a failure inside a stream", () => {
  test.each<[failure: Parameters<typeof providerFailure>[0], code: string]>([
    [{ message: "boom" }, "model_stream_broken"],
    [{ type: "server_error", message: "The server had an error" }, "model_stream_broken"],
    [{ status: 200, message: "boom" }, "model_unavailable"],
    [{ code: 429, message: "Slow down" }, "model_rate_limited"],
    [{ code: "502", message: "Bad gateway" }, "model_unavailable"],
    [{ type: "overloaded_error", message: "Overloaded" }, "model_unavailable"],
    [{ code: "RESOURCE_EXHAUSTED", message: "Later" }, "model_rate_limited"],
    [{ code: 402, message: "Pay" }, "model_quota_exceeded"],
    [{ type: "invalid_request_error", message: "prompt is too long" }, "model_context_exceeded"],
    [{ type: "invalid_request_error", message: "no" }, "model_rejected"],
    [{ code: "insufficient_quota" }, "model_quota_exceeded"],
    [{ type: "authentication_error" }, "model_auth_failed"],
  ])("%j", (failure, code) => {
    expect(providerFailure(failure).code).toBe(code);
  });
});
