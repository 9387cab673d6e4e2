/** What of the reasoning goes back to OpenRouter within a tool loop. */
import type { ProviderCase } from "./provider-case.ts";
import { call, choices, DONE, FINE, failure, stream } from "./wire.ts";

export const native = (
  delta: object,
  finish_reason: string | null,
  native_finish_reason: string | null,
  more: object = {},
) => choices([{ index: 0, delta: { role: "assistant", ...delta }, finish_reason, native_finish_reason }], more);

export const detail = (text: string) => [{ type: "reasoning.text", text, format: "unknown", index: 0 }];

/** A delta with these details of reasoning, whose texts stand in `reasoning`, too. */
const thinks = (...reasoning_details: { readonly text?: string }[]) =>
  native(
    { content: "", reasoning: reasoning_details.map(({ text = "" }) => text).join("") || null, reasoning_details },
    null,
    null,
  );

const CALLS = native({ content: null, tool_calls: [call("call_1", '{"word":"ink"}')] }, null, null);
const ENDS = native({ content: "" }, "tool_calls", "tool_use");
const CLAUDE = { type: "reasoning.text", format: "anthropic-claude-v1", index: 0 };

export const REASONING_GOES_BACK: readonly ProviderCase[] = [
  {
    title: "the details of reasoning go back within a tool loop, and not their text a second time",
    source: "charmbracelet/fantasy: providertests/testdata/TestOpenRouterCommon/grok/multi_tool_streaming.yaml",
    by: "loop",
    request: { options: { model: "x-ai/grok-4-fast" } },
    answers: [
      stream(
        native({ content: "", reasoning: "Look.", reasoning_details: detail("Look.") }, null, null),
        native({ content: null, tool_calls: [call("call_6705", "")] }, null, null),
        native({ content: null, tool_calls: [{ index: 0, function: { arguments: "" } }] }, null, null),
        native({ content: null, tool_calls: [{ index: 0, function: { arguments: '{"word":"ink"}' } }] }, null, null),
        native({ content: "", reasoning: null }, "tool_calls", "completed"),
        DONE,
      ),
      FINE,
    ],
    expect: {
      shown: "All fine.",
      thoughts: "Look.",
      calls: [{ id: "call_6705", name: "lookup", args: { word: "ink" } }],
      sent: [
        {},
        {
          has: { messages: [{}, { reasoning_details: detail("Look.") }, {}] },
          lacks: ["messages[1].reasoning", "messages[1].reasoning_content"],
        },
      ],
    },
  },
  {
    title: "signed details that come in pieces go back as one, with their signature",
    source: "https://github.com/agno-agi/agno/issues/8794",
    by: "loop",
    answers: [
      stream(
        thinks({ ...CLAUDE, text: "Look" }),
        thinks({ ...CLAUDE, text: " it up. " }),
        thinks({ ...CLAUDE, signature: "Et8BCmUIDxgC+/==" } as object),
        CALLS,
        ENDS,
        DONE,
      ),
      FINE,
    ],
    expect: {
      shown: "All fine.",
      thoughts: "Look it up. ",
      calls: [{ id: "call_1", name: "lookup", args: { word: "ink" } }],
      sent: [
        {},
        {
          has: {
            messages: [
              {},
              { reasoning_details: [{ ...CLAUDE, text: "Look it up. ", signature: "Et8BCmUIDxgC+/==" }] },
              {},
            ],
          },
        },
      ],
    },
  },
  {
    title: "summaries and what is encrypted go back in their order",
    source: "https://github.com/pydantic/pydantic-ai/pull/7214",
    by: "loop",
    answers: [
      stream(
        thinks({ type: "reasoning.summary", index: 0, summary: "One" } as object),
        thinks({ type: "reasoning.summary", index: 0, summary: ", two." } as object),
        thinks({ type: "reasoning.encrypted", index: 1, id: "rs_1", data: "gAAA" } as object),
        thinks({ type: "reasoning.summary", index: 2, summary: "Three." } as object),
        thinks({ type: "reasoning.encrypted", index: 2, id: "tool_1", data: "gBBB" } as object),
        thinks({ type: "reasoning.encrypted", index: 2, id: "tool_2", data: "gCCC" } as object),
        CALLS,
        ENDS,
        DONE,
      ),
      FINE,
    ],
    expect: {
      shown: "All fine.",
      thoughts: "One, two.Three.",
      calls: [{ id: "call_1", name: "lookup", args: { word: "ink" } }],
      sent: [
        {},
        {
          has: {
            messages: [
              {},
              {
                reasoning_details: [
                  { type: "reasoning.summary", index: 0, summary: "One, two." },
                  { type: "reasoning.encrypted", index: 1, id: "rs_1", data: "gAAA" },
                  { type: "reasoning.summary", index: 2, summary: "Three." },
                  { type: "reasoning.encrypted", index: 2, id: "tool_1", data: "gBBB" },
                  { type: "reasoning.encrypted", index: 2, id: "tool_2", data: "gCCC" },
                ],
              },
              {},
            ],
          },
        },
      ],
    },
  },
  {
    title: "details that the provider behind it refuses are left out",
    source: "https://openrouter.ai/docs/use-cases/reasoning-tokens",
    by: "loop",
    answers: [
      stream(thinks(...detail("Look.")), CALLS, ENDS, DONE),
      failure(400, {
        error: { message: "messages[1].reasoning_details: Extra inputs are not permitted", code: 400 },
      }),
      FINE,
    ],
    expect: {
      shown: "All fine.",
      thoughts: "Look.",
      calls: [{ id: "call_1", name: "lookup", args: { word: "ink" } }],
      sent: [{}, {}, { lacks: ["messages[1].reasoning_details"] }],
    },
  },
];
