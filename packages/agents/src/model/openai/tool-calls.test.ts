import { expect, test } from "vitest";
import { createToolCallCollector, type ToolCallDelta } from "./tool-calls.ts";

const collect = (...deltas: ToolCallDelta[]) => {
  const collector = createToolCallCollector();
  for (const delta of deltas) collector.add(delta);
  return collector.calls();
};

test("interleaved pieces of several calls are assembled by their index", () => {
  const calls = collect(
    { index: 0, id: "a", function: { name: "add", arguments: "" } },
    { index: 1, id: "b", function: { name: "echo", arguments: '{"x"' } },
    { index: 0, function: { arguments: "{}" } },
    { index: 1, id: "b", function: { arguments: ":1}" } },
  );
  expect(calls).toEqual([
    { id: "a", name: "add", arguments: "{}" },
    { id: "b", name: "echo", arguments: '{"x":1}' },
  ]);
});

test("calls that share an index, or have none, are distinguished by their ids", () => {
  const whole = (id: string): ToolCallDelta => ({ id, function: { name: id, arguments: "{}" } });
  expect(collect({ index: 0, ...whole("a") }, { index: 0, ...whole("b") }).map(({ name }) => name)).toEqual(["a", "b"]);
  expect(collect(whole("a"), whole("b")).map(({ id }) => id)).toEqual(["a", "b"]);
});

test("a call without an id gets one", () => {
  expect(collect({ index: 0, function: { name: "f", arguments: "{}" } })).toEqual([
    { id: "call_0", name: "f", arguments: "{}" },
  ]);
});
