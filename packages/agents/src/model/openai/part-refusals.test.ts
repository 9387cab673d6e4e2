import { expect, test } from "vitest";
import { failureOf, json, says, withProvider } from "../../../../../test/support/scripted-provider.ts";
import type { ModelMessage } from "../model.ts";

const PARTS = [
  { type: "text", text: "Look" },
  { type: "image_url", image_url: { url: "https://example.com/a.png" } },
] as const;
const WITH_PARTS: ModelMessage = { role: "user", content: "Look", parts: PARTS };

/** As providers word it, in public reports. */
test.each([
  [400, "Invalid content type. image_url is only supported by certain models."],
  [400, "Invalid value: 'file'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'audio'."],
  [404, "No endpoints found that support image input"],
  [
    400,
    "Failed to deserialize the JSON body into the target type: messages[1]: unknown variant `image_url`, expected `text`",
  ],
  [422, "messages[2]: invalid type: sequence, expected a string at line 1 column 2901"],
  [422, "messages[1]: data did not match any variant of untagged enum ChatCompletionRequestContent"],
  [400, "messages[0].content must be a string"],
  [400, "Qwen/Qwen3-8B is not a multimodal model"],
  [400, "At most 0 image(s) may be provided in one prompt."],
  [500, 'Failed to parse messages: Unsupported content part type: "image_url"'],
  [500, "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj"],
  [400, "this model does not support image input (ref: 1)"],
  [400, "This model doesn't support images."],
  [400, "该模型不支持图片输入"],
])("a refusal with %i, %s", async (status, message) => {
  const answer = json(status, { error: { message } });
  const refused = await withProvider(
    () => answer,
    ({ ask }) => failureOf(ask({ messages: [WITH_PARTS] })),
  );
  expect(refused).toMatchObject({ code: "model_input_unsupported", param: "message", retryable: false });
  expect(refused.message).toContain(message);
  // The same words about a request without parts say something else.
  const other = await withProvider(
    () => answer,
    ({ ask }) => failureOf(ask()),
  );
  expect(other.code).not.toBe("model_input_unsupported");
});

test.each([
  [400, "Invalid image: the file could not be decoded.", "model_rejected"],
  [429, "Too many images per minute are not supported.", "model_rate_limited"],
  [400, "This model's maximum context length is 8192 tokens.", "model_context_exceeded"],
])("another failure of a request with parts stays what it is: %i %s", async (status, message, code) => {
  const failed = await withProvider(
    () => json(status, { error: { message } }),
    ({ ask }) => failureOf(ask({ messages: [WITH_PARTS] })),
  );
  expect(failed.code).toBe(code);
});

test.each([
  "does not support image",
  "Error while downloading https://example.com/a.png (invalid_image_url)",
  "file-abc was not found",
  "At most 1 image(s) may be provided in one request",
])(
  "images of earlier messages are left out of a request that is refused with '%s', and tried anew",
  async (message) => {
    const messages: ModelMessage[] = [
      WITH_PARTS,
      { role: "assistant", content: "No." },
      { role: "user", content: "Hi" },
    ];
    await withProvider(
      (body) => (JSON.stringify(body).includes('"image_url"') ? json(400, { error: { message } }) : says("a")),
      async ({ ask, asked }) => {
        await ask({ messages });
        await ask({ messages });
        const [first, second, ...others] = asked.map(({ messages }) => messages[0].content);
        expect([first, second]).toEqual([PARTS, "Look\n[image_url]"]);
        // Nothing is remembered: the fault may be one image's, and other sessions have others.
        expect(others).toEqual([first, second]);
      },
    );
  },
);

test("the parts of the message itself are never left out", async () => {
  const messages: ModelMessage[] = [WITH_PARTS, { role: "assistant", content: "No." }, { ...WITH_PARTS }];
  await withProvider(
    () => json(400, { error: { message: "does not support image" } }),
    async ({ ask, asked }) => {
      expect(await failureOf(ask({ messages }))).toMatchObject({ code: "model_input_unsupported" });
      expect(asked.map(({ messages }) => messages.map(({ content }: { content: unknown }) => content))).toEqual([
        [PARTS, "No.", PARTS],
        ["Look\n[image_url]", "No.", PARTS],
      ]);
    },
  );
});

test("parts go along as they are, joined with a text before them, and behind a system prompt without a role", async () => {
  const messages: ModelMessage[] = [
    { role: "system", content: "Be brief." },
    { role: "user", content: "First" },
    WITH_PARTS,
  ];
  const bodyOf = (systemRole: "system" | "user") =>
    withProvider(
      () => says("a"),
      async ({ ask, asked }) => {
        await ask({ messages });
        return asked[0].messages.at(-1).content;
      },
      { form: { systemRole } },
    );
  const first = { type: "text", text: "First" };
  expect(await bodyOf("system")).toEqual([first, ...PARTS]);
  expect(await bodyOf("user")).toEqual([{ type: "text", text: "Be brief." }, first, ...PARTS]);
});
