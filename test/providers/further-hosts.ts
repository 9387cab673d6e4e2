/** SiliconFlow, DeepInfra, OpenCode Zen. */
import type { Provider } from "./provider-case.ts";
import { call, chunk, DONE, FINE, failure, stream } from "./wire.ts";

export const siliconFlow: Provider = {
  name: "SiliconFlow",
  settings: "`OPENAI_BASE_URL=https://api.siliconflow.cn/v1`",
  cases: [
    {
      title: "a balance that is too low has a code of its own and status 403",
      source: "https://github.com/FoundationAgents/OpenManus/issues/438",
      answers: [
        failure(403, {
          code: 30011,
          message: "The selected model requires paid balance, which is insufficient.",
          data: null,
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "reasoning that did not go back is told at the top of the body, and then goes back",
      source: "https://github.com/agentscope-ai/QwenPaw/issues/433",
      by: "loop",
      request: { options: { model: "Pro/thinker" } },
      answers: [
        stream(
          chunk({ reasoning_content: "A word." }),
          chunk({ tool_calls: [call("s1", '{"word":"ink"}')] }, "tool_calls"),
          DONE,
        ),
        failure(400, {
          code: 20015,
          message: "thinking is enabled but reasoning_content is missing in assistant tool call message at index 1",
          data: null,
        }),
        FINE,
      ],
      expect: {
        shown: "All fine.",
        thoughts: "A word.",
        calls: [{ id: "s1", name: "lookup", args: { word: "ink" } }],
        sent: [{}, {}, { has: { messages: [{}, { reasoning_content: "A word." }, {}] } }],
      },
    },
  ],
};

export const deepInfra: Provider = {
  name: "DeepInfra",
  settings: "`OPENAI_BASE_URL=https://api.deepinfra.com/v1/openai`",
  cases: [
    {
      title: "a wrong field is told in a list of details",
      source: "Portkey-AI/gateway: src/providers/deepinfra/chatComplete.ts",
      answers: [
        failure(422, {
          detail: [{ loc: ["body", "top_p"], msg: "Input should be less than or equal to 1", type: "less_than_equal" }],
        }),
      ],
      request: { options: { topP: 2 } },
      expect: { error: { code: "model_rejected", says: "Input should be less than or equal to 1" } },
    },
    {
      title: "a fault is told as a detail",
      source: "Portkey-AI/gateway: src/providers/deepinfra/chatComplete.ts",
      answers: [failure(404, { detail: "Model is not available" })],
      expect: { error: { code: "model_rejected", says: "Model is not available" } },
    },
  ],
};

export const openCode: Provider = {
  name: "OpenCode Zen",
  settings: "`OPENAI_BASE_URL=https://opencode.ai/zen/v1`",
  cases: [
    {
      title: "missing credits are no wrong key although the status is 401",
      source: "https://github.com/TiaraBasori/OpenCode2API/issues/5",
      answers: [
        failure(401, {
          message: "Insufficient balance. Manage your billing in the workspace.",
          type: "CreditsError",
          param: "",
          code: null,
        }),
      ],
      expect: { error: { code: "model_quota_exceeded" } },
    },
    {
      title: "the words of the provider behind it are those of a context",
      source: "https://github.com/dyad-sh/dyad/issues/1950",
      answers: [
        failure(400, {
          error: { message: "Error from provider: Input is too long for requested model.", code: 400 },
        }),
      ],
      expect: { error: { code: "model_context_exceeded" } },
    },
  ],
};
