import { expect, test } from "vitest";
import { dataPartOf } from "./data-parts.ts";

const partOf = (fields: object) =>
  JSON.parse(dataPartOf({ type: "delegate", content: "", ...fields } as never).replace("data: ", ""));

test("a step has the id of its part, and an agent that is handed over to has none", () => {
  expect(partOf({ step: "left", status: "started" }).id).toBe("left");
  expect(partOf({ agents: ["Ada"] })).toEqual({
    type: "data-delegate",
    data: { type: "delegate", content: "", agents: ["Ada"] },
  });
});
