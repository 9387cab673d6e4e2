/** The hashed vectors, and the endpoint that serves them. */
import { beforeAll, describe, expect, it } from "vitest";
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

describe("the vectors", () => {
  it("have length 1, and are the same for the same text", () => {
    for (const text of ["hello", "退款", "好", "!?", "a b c a"]) expect(near(text, text)).toBeCloseTo(1);
    expect(near("Hello WORLD", "hello, world!")).toBeCloseTo(1);
  });

  it("bring texts near that share words or character pairs", () => {
    expect(near("如何申请退款？", "退款政策：七天内可以申请退款。")).toBeGreaterThan(0.4);
    expect(near("如何申请退款？", "今天天气晴朗，适合散步。")).toBeLessThan(0.2);
    expect(near("refund policy", "our refund policy covers seven days")).toBeGreaterThan(0.4);
    expect(near("refund policy", "the weather is fine today")).toBeLessThan(0.2);
  });
});

describe("POST /v1/embeddings", () => {
  it("is read by the openai package in both encodings, with usage", async () => {
    const input = ["hello world", "你好世界"];
    const float = await model.openai.embeddings.create({ model: "local-embedding", input, encoding_format: "float" });
    const base64 = await model.openai.embeddings.create({ model: "local-embedding", input });
    expect(float.data.map((item) => item.embedding)).toEqual(input.map((text) => [...embed(text, 256)]));
    expect(base64.data.map((item) => [...item.embedding])).toEqual(float.data.map((item) => item.embedding));
    expect(float.usage).toEqual({ prompt_tokens: 6, total_tokens: 6 });
  });

  it("takes one text and other dimensions", async () => {
    const { data } = await model.openai.embeddings.create({ model: "e", input: "hello", dimensions: 64 });
    expect(data.map((item) => item.embedding.length)).toEqual([64]);
  });

  it("refuses an empty text", async () => {
    await expect(model.openai.embeddings.create({ model: "e", input: ["a", ""] })).rejects.toMatchObject({
      status: 400,
      param: "input[1]",
    });
  });
});
