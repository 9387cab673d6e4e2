/** What a provider says when it refuses a request, in the forms that each is known for. */
import { describe, expect, test } from "vitest";
import { type Answer, failureFor, json } from "../../../../../test/support/scripted-provider.ts";

describe("the words of a provider that refuses a request", () => {
  test.each<[form: string, answer: Answer, words: string]>([
    [
      "OpenAI",
      json(400, { error: { message: "Bad field.", type: "invalid_request_error", code: null } }),
      "Bad field.",
    ],
    [
      "Ollama, LM Studio",
      json(400, { error: "registry.ollama.ai/x does not support tools" }),
      "does not support tools",
    ],
    ["FastAPI", json(422, { detail: "No such model." }), "No such model."],
    [
      "FastAPI's validator",
      json(422, {
        detail: [
          { type: "missing", loc: ["body", "messages", 0, "role"], msg: "Field required" },
          { type: "int_type", loc: ["body", "n"], msg: "Input should be a valid integer" },
        ],
      }),
      "body.messages.0.role: Field required; body.n: Input should be a valid integer",
    ],
    [
      "Mistral",
      json(422, {
        object: "error",
        message: { detail: [{ type: "extra_forbidden", loc: ["body", "stream_options"], msg: "Extra inputs" }] },
        type: "invalid_request_error",
        param: null,
        code: null,
      }),
      "body.stream_options: Extra inputs",
    ],
    ["vLLM, older", json(400, { object: "error", message: "Wrong.", type: "BadRequestError", code: 400 }), "Wrong."],
    ["Cohere", json(400, { message: "Wrong order of roles." }), "Wrong order of roles."],
    ["Bedrock", json(400, { Message: "The model id is wrong." }), "The model id is wrong."],
    ["Cloudflare", json(400, { success: false, errors: [{ code: 7003, message: "No route." }] }), "No route."],
    ["Gemini", json(400, [{ error: { code: 400, message: "Bad part.", status: "INVALID_ARGUMENT" } }]), "Bad part."],
    ["Anthropic", json(400, { type: "error", error: { type: "invalid_request_error", message: "No." } }), "No."],
    ["MiniMax", json(400, { base_resp: { status_code: 2013, status_msg: "invalid params" } }), "invalid params"],
    ["Baidu", json(400, { error_code: 336002, error_msg: "Invalid JSON" }), "Invalid JSON"],
    ["a JSON string", json(400, "Just words."), "Just words."],
    [
      "OpenRouter",
      json(400, {
        error: {
          message: "Provider returned error",
          code: 400,
          metadata: { raw: '{"error":{"message":"Unsupported image."}}', provider_name: "X" },
        },
      }),
      "Unsupported image.",
    ],
    [
      "a gateway that quotes JSON",
      json(400, { error: { message: '{"error":{"message":"Inner words."}}', type: "bad_response_status_code" } }),
      "Inner words.",
    ],
    ["plain text", { status: 400, body: "Failed to deserialize the JSON body\nat line 1" }, "JSON body at line 1"],
    ["a page", { status: 404, body: "<html><head><title>404 Not Found</title></head><p>nginx" }, ": 404 Not Found"],
    ["a page without a title", { status: 404, body: "<html><body><h1>Gone</h1></body></html>" }, ": HTTP 404"],
    ["nothing", { status: 400, body: "" }, ": HTTP 400"],
    ["an empty object", json(400, {}), ": HTTP 400"],
    ["null", json(400, null), ": HTTP 400"],
    ["broken JSON", { status: 400, body: '{"error": {"mess' }, '{"error": {"mess'],
    ["a model that is not there", json(404, { error: { message: 'model "x" not found', code: 404 } }), '"x" not found'],
  ])("words in the form of %s reach the user", async (_, answer, words) => {
    const error = await failureFor(answer);
    expect(error).toMatchObject({ code: "model_rejected", message: expect.stringContaining(words) });
    expect(error.message).not.toContain("<");
  });

  test("a provider's words are one line, bounded, redacted, and without half characters", async () => {
    const message = `Bearer abcdef123456 key-of-the-platform\u0000\u202e\r\n\t${"x".repeat(220)}${"😀".repeat(200)}`;
    const error = await failureFor(json(400, { error: { message } }));
    expect(error.message).toContain("[redacted]");
    expect(error.message).not.toContain("key-of-the-platform");
    expect(error.message).not.toMatch(/\p{Cc}|\u202e/u);
    expect(error.message.length).toBeLessThan(400);
    expect(error.message.isWellFormed()).toBe(true);
  });

  test("hostile bodies are read too: deep, long, and with names of JavaScript", async () => {
    let deep: unknown = "words";
    for (let depth = 0; depth < 2_000; depth++) deep = { error: deep };
    expect((await failureFor(json(400, deep))).code).toBe("model_rejected");
    expect((await failureFor({ status: 400, body: "[".repeat(100_000) })).code).toBe("model_rejected");
    expect((await failureFor(json(400, { error: { code: "constructor", type: "__proto__", message: 7 } }))).code).toBe(
      "model_rejected",
    );
  });
});
