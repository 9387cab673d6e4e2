/** All providers of the table, in the order of docs/providers.md. */
import { anthropic } from "./anthropic.ts";
import { azure } from "./azure.ts";
import { baidu, cohere, github, huggingFace, snowflake } from "./clouds.ts";
import { databricks } from "./databricks.ts";
import { deepseek } from "./deepseek.ts";
import { doubao } from "./doubao.ts";
import { deepInfra, openCode, siliconFlow } from "./further-hosts.ts";
import { bedrock, cloudflare, vercel } from "./gateways.ts";
import { gemini } from "./gemini.ts";
import { groq } from "./groq.ts";
import { litellm } from "./litellm.ts";
import { llamaCpp, lmStudio, tgi } from "./local-servers.ts";
import { minimax } from "./minimax.ts";
import { mistral } from "./mistral.ts";
import { moonshot } from "./moonshot.ts";
import { ollama } from "./ollama.ts";
import { cerebras, fireworks, together } from "./open-model-hosts.ts";
import { openai } from "./openai.ts";
import { openrouter } from "./openrouter.ts";
import { others } from "./others.ts";
import { perplexity } from "./perplexity.ts";
import type { Provider } from "./provider-case.ts";
import { qwen } from "./qwen.ts";
import { sglang, vllm } from "./vllm.ts";
import { xai } from "./xai.ts";
import { zhipu } from "./zhipu.ts";

export const PROVIDERS: readonly Provider[] = [
  ...[openai, azure, anthropic, gemini, mistral, cohere, xai, perplexity],
  ...[deepseek, qwen, moonshot, zhipu, minimax, doubao, baidu],
  ...[openrouter, groq, together, fireworks, cerebras, deepInfra, siliconFlow, huggingFace, github],
  ...[bedrock, databricks, snowflake, cloudflare, litellm, vercel, openCode],
  ...[ollama, vllm, sglang, llamaCpp, lmStudio, tgi, others],
];
