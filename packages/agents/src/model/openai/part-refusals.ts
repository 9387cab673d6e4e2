/**
 * The words in which providers say that a model takes no images or files. Data, in lower case: a refusal that contains
 * one of these, or every part of one. They count only for requests that had parts, because some are about content in
 * general.
 */
const PHRASES: readonly (string | readonly string[])[] = [
  // OpenAI, Azure
  "is only supported by certain models",
  "invalid content type",
  ["invalid value", "supported values are"],
  // OpenRouter, MiMo
  "no endpoints found that support",
  // DeepSeek and other servers in Rust
  ["unknown variant", "image_url"],
  ["unknown variant", "file"],
  "invalid type: sequence, expected a string",
  "did not match any variant of untagged enum",
  // Groq, Cerebras and servers that know content as text alone
  "content must be a string",
  "content should be a string",
  ["content", "valid string"],
  // vLLM, SGLang
  "not a multimodal model",
  "at most 0 ",
  // llama.cpp, llamafile, LM Studio, Ollama
  "unsupported content part type",
  "image input is not supported",
  "mmproj",
  "not compiled for multimodal",
  "missing data required for image input",
  // Many
  ["not support", "image"],
  ["n't support", "image"],
  ["not supported", "image"],
  ["unsupported", "image"],
  ["not support", "vision"],
  ["not support", "multimodal"],
  ["not support", "multi-modal"],
  ["not support", "modalit"],
  ["not support", "file"],
  ["unsupported", "file"],
  ["not support", "pdf"],
  ["content type", "not support"],
  ["不支持", "图"],
  ["不支持", "多模态"],
  ["不支持", "文件"],
];

/** Whether a refusal of a request with parts says that the model takes none of them. */
export function refusesParts(words: string): boolean {
  return PHRASES.some((phrase) => [phrase].flat().every((part) => words.includes(part)));
}
