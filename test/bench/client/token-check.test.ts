import { expect, test } from "vitest";
import { generatedTokens } from "../../../scripts/model-server/vocabulary.ts";
import { TokenCheck } from "./token-check.ts";

const QUESTION = "chat 3 of turn 1";
const answer = (length: number) => {
  const tokens = generatedTokens(length, "en", QUESTION);
  return Array.from({ length }, (_, index) => tokens.at(index));
};

function faultsOf(expected: number, tokens: readonly string[]) {
  const check = new TokenCheck(expected, QUESTION);
  for (const token of tokens) check.token(token);
  return check.faults();
}

const NONE = { missing: 0, doubled: 0, misplaced: 0 };

test("an answer exactly as the model sends it has no faults", () => {
  expect(faultsOf(200, answer(200))).toEqual(NONE);
});

test("tokens missing in the middle and at the end are counted", () => {
  expect(faultsOf(100, answer(100).toSpliced(10, 3))).toEqual({ ...NONE, missing: 3 });
  expect(faultsOf(100, answer(90))).toEqual({ ...NONE, missing: 10 });
});

test("a gap as long as the period of the model's text is counted", () => {
  const whole = answer(1_000);
  const period = whole.findIndex(
    (_, at) => at > 0 && whole.slice(at, at + 60).join() === ` ${whole.slice(0, 60).join()}`,
  );
  expect(period).toBeGreaterThan(0);
  expect(faultsOf(1_000, whole.toSpliced(10, period))).toEqual({ ...NONE, missing: period });
});

test("doubled and misplaced tokens are counted", () => {
  const whole = answer(50);
  expect(faultsOf(50, whole.toSpliced(10, 0, whole[9] ?? ""))).toEqual({ ...NONE, doubled: 1 });
  expect(faultsOf(50, whole.toSpliced(10, 0, "nowhere"))).toEqual({ ...NONE, misplaced: 1 });
});
