import { expect, test } from "vitest";
import { assertToolName } from "../tool.ts";
import { nameTools } from "./tool-names.ts";

const named = (...names: string[]) =>
  nameTools(
    "files",
    names.map((name) => ({ name })),
  ).map(([name]) => name);

test("a tool's name begins with the name of its server", () => {
  expect(named("read", "write-file_2")).toEqual(["files__read", "files__write-file_2"]);
});

test("the names of any tools are accepted by providers and are distinct", () => {
  const long = "x".repeat(80);
  const names = named("a.b", "a_b", "a/b", "读取", "写入", `${long}1`, `${long}2`, "", " ");
  for (const name of names) assertToolName(name);
  expect(new Set(names).size).toBe(names.length);
  expect(names[1]).toBe("files__a_b");
});

test("a tool's name does not depend on the order of the list", () => {
  const order = ["a.b", "a b", "a_b"];
  expect(named(...order.toReversed()).toReversed()).toEqual(named(...order));
});
