/** The hashed vectors, and the endpoint that serves them. */
import { beforeAll, describe, expect, test } from "vitest";
import { embed } from "./embed.ts";
import { startTestModel, type TestModel } from "./test-model.ts";

let model: TestModel;
beforeAll(async () => {
  model = await startTestModel();
  return () => model.server.stop();
});

const near = (a: string, b: string) => {
  const other = embed(b, 256);
  return embed(a, 256).reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
};

describe("vectors", () => {
  test("vectors have length 1, and equal texts have equal vectors", () => {
    for (const text of ["hello", "退款", "好", "!?", "a b c a"]) expect(near(text, text)).toBeCloseTo(1);
    expect(near("Hello WORLD", "hello, world!")).toBeCloseTo(1);
  });

  test("texts that share words or character pairs have similar vectors", () => {
    expect(near("如何申请退款？", "退款政策：七天内可以申请退款。")).toBeGreaterThan(0.4);
    expect(near("如何申请退款？", "今天天气晴朗，适合散步。")).toBeLessThan(0.2);
    expect(near("refund policy", "our refund policy covers seven days")).toBeGreaterThan(0.4);
    expect(near("refund policy", "the weather is fine today")).toBeLessThan(0.2);
  });
});

describe("POST /v1/embeddings", () => {
  test("the openai package reads embeddings in both encodings, with usage", async () => {
    const input = ["hello world", "你好世界"];
    const float = await model.openai.embeddings.create({ model: "local-embedding", input, encoding_format: "float" });
    const base64 = await model.openai.embeddings.create({ model: "local-embedding", input });
    expect(float.data.map((item) => item.embedding)).toEqual(input.map((text) => [...embed(text, 256)]));
    expect(base64.data.map((item) => [...item.embedding])).toEqual(float.data.map((item) => item.embedding));
    expect(float.usage).toEqual({ prompt_tokens: 6, total_tokens: 6 });
  });

  test("an embedding of a single text may have other dimensions", async () => {
    const { data } = await model.openai.embeddings.create({ model: "e", input: "hello", dimensions: 64 });
    expect(data.map((item) => item.embedding.length)).toEqual([64]);
  });

  test("an empty text is refused with a 400 that names its index", async () => {
    await expect(model.openai.embeddings.create({ model: "e", input: ["a", ""] })).rejects.toMatchObject({
      status: 400,
      param: "input[1]",
    });
  });
});
