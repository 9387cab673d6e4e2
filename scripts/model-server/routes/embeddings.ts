/** POST /v1/embeddings: hashed vectors in both encodings of the API. */
import { z } from "zod";
import { parseOrRefuse } from "../api-error.ts";
import { DEFAULT_DIMENSIONS, embed } from "../embed.ts";
import { type Handler, readJson, sendJson } from "../http.ts";
import { countTokens } from "../tokenize.ts";

const text = z.string().min(1);

const embeddingsRequestSchema = z.looseObject({
  model: z.string().min(1),
  input: z.union([text, z.array(text).min(1).max(2048)], {
    error: "must be a text or 1 to 2048 texts, none of them empty",
  }),
  dimensions: z.int().min(1).max(4096).default(DEFAULT_DIMENSIONS),
  encoding_format: z.enum(["float", "base64"]).default("float"),
});

export const embeddings: Handler = async ({ request, response }) => {
  const asked = parseOrRefuse(embeddingsRequestSchema, await readJson(request));
  const inputs = typeof asked.input === "string" ? [asked.input] : asked.input;
  const tokens = inputs.reduce((sum, input) => sum + countTokens(input), 0);
  sendJson(response, 200, {
    object: "list",
    model: asked.model,
    data: inputs.map((input, index) => {
      const vector = embed(input, asked.dimensions);
      const embedding = asked.encoding_format === "base64" ? base64(vector) : Array.from(vector);
      return { object: "embedding", index, embedding };
    }),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  });
};

/** Little-endian 32-bit floats: the memory layout of every machine that Node supports. */
function base64(vector: Float32Array<ArrayBuffer>): string {
  return Buffer.from(vector.buffer).toString("base64");
}
