import { describe, expect, test } from "vitest";
import { stream, withProvider } from "../../../../../test/support/scripted-provider.ts";
import { DONE, delta, outcomeOf } from "../../../../../test/support/streaming-provider.ts";
import { createJournalStore, createMemoryJournal } from "../../testing/memory-journal.ts";
import { createJournaledModel } from "../journaled-model.ts";
import type { ToolCall } from "../model.ts";
import { createCallIds, NINE_CHARS } from "./call-ids.ts";

/** A piece of a call as it stands in a chunk: `f` are the fields of `function`. */
const piece = (fields: object, f?: object) => ({ ...fields, ...(f === undefined ? {} : { function: f }) });

/** The calls of a turn with one chunk for each list of pieces. */
async function callsOf(lists: readonly (readonly object[])[], finish = "tool_calls"): Promise<readonly ToolCall[]> {
  const chunks = lists.map((tool_calls) => delta({ tool_calls }));
  const { turn, error } = await outcomeOf([...chunks, delta({}, finish), DONE]);
  expect(error).toBeNull();
  return turn?.toolCalls ?? [];
}

const AB: ToolCall[] = [
  { id: "a", name: "add", arguments: '{"x":1}' },
  { id: "b", name: "echo", arguments: '{"y":2}' },
];
const named = (calls: readonly ToolCall[]) => calls.map(({ name, arguments: args }) => [name, args]);

describe("pieces find their call", () => {
  test("interleaved pieces of several calls are assembled by their index", async () => {
    expect(
      await callsOf([
        [piece({ index: 0, id: "a" }, { name: "add", arguments: "" })],
        [piece({ index: 1, id: "b" }, { name: "echo", arguments: '{"y"' })],
        [piece({ index: 0 }, { arguments: '{"x":1}' })],
        [piece({ index: 1, id: "b" }, { arguments: ":2}" })],
      ]),
    ).toEqual(AB);
  });

  test.each([
    ["without an index", (id: string) => ({ id })],
    ["with an index of null", (id: string) => ({ index: null, id })],
    ["with one index for all", (id: string) => ({ index: 0, id })],
    ["with indices as text", (id: string) => ({ index: id === "a" ? "0" : "1", id })],
    ["with indices that begin with one", (id: string) => ({ index: id === "a" ? 1 : 2, id })],
  ])("whole calls %s are told apart", async (_, head) => {
    const [a, b] = AB.map(({ id, name, arguments: args }) => piece(head(id), { name, arguments: args }));
    expect(await callsOf([[a as object], [b as object]])).toEqual(AB);
    expect(await callsOf([[a as object, b as object]])).toEqual(AB);
  });

  test.each([
    ["without an index", {}],
    ["with one index for all", { index: 0 }],
  ])("calls in pieces %s are told apart", async (_, head) => {
    expect(
      await callsOf([
        [piece({ ...head, id: "a" }, { name: "add", arguments: "" })],
        [piece(head, { arguments: '{"x"' })],
        [piece(head, { arguments: ":1}" })],
        [piece({ ...head, id: "b" }, { name: "echo", arguments: '{"y"' })],
        [piece(head, { arguments: ":2}" })],
      ]),
    ).toEqual(AB);
  });

  test("calls without index and id are told apart by their names and their ends", async () => {
    const calls = await callsOf([
      [piece({}, { name: "add", arguments: '{"x":1}' })],
      [piece({}, { name: "add", arguments: '{"x":2}' })],
      [piece({}, { name: "echo", arguments: '{"y":' })],
      [piece({}, { arguments: "2}" })],
    ]);
    expect(named(calls)).toEqual([
      ["add", '{"x":1}'],
      ["add", '{"x":2}'],
      ["echo", '{"y":2}'],
    ]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(3);
  });

  test.each([
    ["a new id in every chunk", (at: number) => piece({ index: 0, id: `id${at}` }, at === 0 ? { name: "add" } : {})],
    ["a new id and no index", (at: number) => piece({ id: `id${at}` }, at === 0 ? { name: "add" } : {})],
    ["a new id and the name in every chunk", (at: number) => piece({ index: 0, id: `id${at}` }, { name: "add" })],
    ["the name in every chunk", () => piece({ index: 0 }, { name: "add" })],
    ["the name in every chunk and no index", () => piece({}, { name: "add" })],
    ["name and id in every chunk", () => piece({ index: 0, id: "a" }, { name: "add" })],
    ["name and id in every chunk and no index", () => piece({ id: "a" }, { name: "add" })],
    ["an id that comes late", (at: number) => piece(at === 2 ? { id: "a" } : {}, at === 0 ? { name: "add" } : {})],
    [
      "an id that comes late, by index",
      (at: number) => piece({ index: 0, id: at < 2 ? null : "a" }, { name: at ? null : "add" }),
    ],
    ["an empty id behind the first", (at: number) => piece({ index: 0, id: at ? "" : "a" }, { name: at ? "" : "add" })],
    [
      "an index that rises with the chunks",
      (at: number) => piece({ index: at, id: "a" }, at === 0 ? { name: "add" } : {}),
    ],
    [
      "an index only in the first chunk",
      (at: number) => piece(at ? {} : { index: 0, id: "a" }, at ? {} : { name: "add" }),
    ],
  ])("%s is one call", async (_, head) => {
    const args = ["", '{"x"', ":1", "}"];
    const lists = args.map((text, at) => {
      const { function: f, ...rest } = head(at) as { function?: object };
      return [piece(rest, { ...f, arguments: text })];
    });
    expect(named(await callsOf(lists))).toEqual([["add", '{"x":1}']]);
  });

  test("a call that is repeated as a whole at the end is one call", async () => {
    const whole = piece({ index: 0, id: "a" }, { name: "add", arguments: '{"x":1}' });
    expect(await callsOf([[whole], [whole]])).toEqual([AB[0]]);
    const last = delta({}, "tool_calls");
    const repeated = { choices: [{ ...last.choices[0], message: { role: "assistant", tool_calls: [whole] } }] };
    expect((await outcomeOf([delta({ tool_calls: [whole] }), repeated, DONE])).turn?.toolCalls).toEqual([AB[0]]);
    const parts = ['{"x"', ":1}", '{"x":1}'].map((text) => [
      piece({ index: 0, id: "a" }, { name: "add", arguments: text }),
    ]);
    expect(named(await callsOf(parts))).toEqual([["add", '{"x":1}']]);
  });

  test("a name may come in pieces before the arguments", async () => {
    const lists = [{ name: "get_" }, { name: "weather" }, { arguments: "{}" }].map((f) => [piece({ index: 0 }, f)]);
    expect(named(await callsOf(lists))).toEqual([["get_weather", "{}"]]);
  });
});

describe("ids", () => {
  test("two calls with one id get ids of their own, so that their results are told apart", async () => {
    const calls = [0, 1, 2].map((index) => [piece({ index, id: "x" }, { name: "add", arguments: `{"x":${index}}` })]);
    expect((await callsOf(calls)).map(({ id }) => id)).toEqual(["x", "x_2", "x_3"]);
    const same = [0, 1].map((at) => [piece({ id: "x" }, { name: "add", arguments: `{"x":${at}}` })]);
    expect((await callsOf(same)).map(({ id }) => id)).toEqual(["x", "x_2"]);
  });

  test("calls without an id get one that no other call has, in no turn, and that every provider takes", async () => {
    const f = { name: "add", arguments: '{"x":1}' };
    const turn = [[piece({ index: 0 }, f), piece({ index: 1 }, f), piece({ index: 2, id: "call_1" }, f)]];
    const ids = [...(await callsOf(turn)), ...(await callsOf(turn))].map(({ id }) => id);
    expect([ids[2], ids[5]]).toEqual(["call_1", "call_1"]);
    const made = ids.filter((id) => id !== "call_1");
    expect(new Set(made).size).toBe(4);
    for (const id of made) expect(createCallIds(NINE_CHARS)(id)).toBe(id);
  });

  test("a later attempt of the job has the id that an earlier one gave", async () => {
    const called = { choices: [{ delta: { tool_calls: [piece({ index: 0 }, { name: "add", arguments: "{}" })] } }] };
    const store = createJournalStore();
    await withProvider(
      () => stream(called, { choices: [{ delta: {}, finish_reason: "tool_calls" }] }),
      async ({ asked, provider }) => {
        const model = provider.model({ defaultModel: "m", responseFormat: "none" });
        const idOf = async () => {
          const attempt = createJournaledModel(model, createMemoryJournal(store));
          const tools = [{ name: "add", description: "", parameters: {} }];
          const turn = attempt.stream(
            { messages: [{ role: "user", content: "Hi" }], tools },
            AbortSignal.timeout(9_000),
          );
          for (;;) {
            const step = await turn.next();
            if (step.done) return step.value.toolCalls[0]?.id;
          }
        };
        const first = await idOf();
        expect([first, await idOf(), asked.length]).toEqual([expect.stringMatching(/^[0-9A-Za-z]{9}$/), first, 1]);
      },
    );
  });
});

describe("arguments", () => {
  test.each([
    ["an object", { x: 1 }, '{"x":1}'],
    ["null", null, "{}"],
    ["missing", undefined, "{}"],
    ["empty", "", "{}"],
    ["white space", " \n", "{}"],
    ["the word null", "null", "{}"],
    ["encoded twice", JSON.stringify('{"x":1}'), '{"x":1}'],
    ["encoded three times", JSON.stringify(JSON.stringify('{"x":1}')), '{"x":1}'],
    ["no JSON, as the model wrote it", "{x: 1", "{x: 1"],
    ["a list, as the model wrote it", "[1]", "[1]"],
    ["a large number, as the model wrote it", '{"x":12345678901234567890}', '{"x":12345678901234567890}'],
  ])("%s", async (_, args, expected) => {
    expect(named(await callsOf([[piece({ index: 0, id: "a" }, { name: "add", arguments: args })]]))).toEqual([
      ["add", expected],
    ]);
  });

  test("an empty object before the pieces of the arguments is a placeholder", async () => {
    const lists = [{ name: "add", arguments: {} }, { arguments: '{"x"' }, { arguments: ":1}" }];
    expect(named(await callsOf(lists.map((f) => [piece({ index: 0, id: "a" }, f)])))).toEqual([["add", '{"x":1}']]);
  });

  test("a call whose name stands beside the function is read", async () => {
    expect(named(await callsOf([[{ id: "a", type: "function", name: "add", arguments: '{"x":1}' }]]))).toEqual([
      ["add", '{"x":1}'],
    ]);
  });

  test("the legacy function_call is a call", async () => {
    const { turn } = await outcomeOf([
      delta({ function_call: { name: "add", arguments: "" } }),
      delta({ function_call: { arguments: '{"x":1}' } }),
      delta({}, "function_call"),
      DONE,
    ]);
    expect(turn).toMatchObject({ finishReason: "tool_calls", toolCalls: [{ name: "add", arguments: '{"x":1}' }] });
  });

  test("a turn that was cut has a last call without arguments, and whole ones before it", async () => {
    const lists = [[piece({ index: 0, id: "a" }, { name: "add" })], [piece({ index: 1, id: "b" }, { name: "add" })]];
    expect(named(await callsOf(lists, "length"))).toEqual([
      ["add", "{}"],
      ["add", ""],
    ]);
  });
});

test("what a provider sends with a call is kept with it, byte for byte", async () => {
  const extra_content = { google: { thought_signature: "EhsMGQ+/==" } };
  const call = piece({ id: "a", extra_content }, { name: "add", arguments: '{"x":1}' });
  expect(await callsOf([[call]], "stop")).toEqual([{ ...AB[0], extra: { extra_content } }]);
});

test("a turn that stops with calls has calls, and one without a reason too", async () => {
  const call = delta({ tool_calls: [piece({ index: 0, id: "a" }, { name: "add", arguments: '{"x":1}' })] });
  for (const rest of [[delta({}, "stop"), DONE], [delta({}, ""), DONE], [DONE]]) {
    expect((await outcomeOf([call, ...rest])).turn).toMatchObject({ finishReason: "tool_calls", toolCalls: [AB[0]] });
  }
});

test("what a filter has cut is no call", async () => {
  const call = delta({ tool_calls: [piece({ index: 0, id: "a" }, { name: "add", arguments: '{"x":1}' })] });
  expect((await outcomeOf([call, delta({}, "content_filter"), DONE])).turn).toMatchObject({
    ...{ finishReason: "content_filter", toolCalls: [] },
  });
});

test("calls without an end are refused", async () => {
  const calls = Array.from({ length: 300 }, (_, index) => delta({ tool_calls: [{ index, function: { name: "f" } }] }));
  expect((await outcomeOf([calls.map((call) => `data: ${JSON.stringify(call)}\n\n`).join("")])).error?.code).toBe(
    "budget_exhausted",
  );
});
