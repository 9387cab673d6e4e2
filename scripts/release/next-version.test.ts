import { expect, test } from "vitest";
import { findVersionProblem } from "./next-version.ts";

test.each(["1.2.4", "1.3.0", "2.0.0"])("%s can follow 1.2.3", (next) => {
  expect(findVersionProblem("1.2.3", next)).toBeNull();
});

test.each([
  ["1.2.3", "not higher"],
  ["1.2.2", "not higher"],
  ["0.9.9", "not higher"],
  ["1.2.5", "after 1.2.3 comes 1.2.4 or 1.3.0 or 2.0.0, not 1.2.5"],
  ["1.3.1", "not 1.3.1"],
  ["12.0.0", "not 12.0.0"],
  ["v1.2.4", "form X.Y.Z"],
  ["1.2", "form X.Y.Z"],
  ["1.02.4", "form X.Y.Z"],
  ["1.3.0-rc.1", "form X.Y.Z"],
])("%s cannot follow 1.2.3: %s", (next, problem) => {
  expect(findVersionProblem("1.2.3", next)).toContain(problem);
});
