import { join } from "node:path";
import { expect, test } from "vitest";
import { foreignPlaceIn } from "./source-places.ts";

const OWN = join(import.meta.dirname, "..");

function errorAt(...frames: string[]): Error {
  const error = new Error("refused");
  error.stack = ["Error: refused", ...frames.map((frame) => `    at ${frame}`)].join("\n");
  return error;
}

test("the place of a refused call is the caller, not the function of this package that refuses", () => {
  const error = errorAt(
    `defineTool (file://${OWN}/tools/tool.ts:40:9)`,
    "file:///plugins/lib/tools.ts:7:3",
    "file:///plugins/desk.ts:1:1",
    `importWithin (file://${OWN}/registry/plugins.ts:80:5)`,
  );
  expect(foreignPlaceIn(error)).toEqual({ file: "/plugins/lib/tools.ts", line: 7 });
});

test("the place of an error inside an installed package is the module that calls it", () => {
  const error = errorAt(
    "parse (/plugins/node_modules/csv/index.js:3:1)",
    "file:///plugins/desk.ts:12:1",
    `importWithin (file://${OWN}/registry/plugins.ts:80:5)`,
  );
  expect(foreignPlaceIn(error)).toEqual({ file: "/plugins/desk.ts", line: 12 });
});

test("an error that only this package's own frames lead to has no foreign place", () => {
  expect(foreignPlaceIn(errorAt(`importWithin (file://${OWN}/registry/plugins.ts:80:5)`))).toBeNull();
});
