import { expect, test } from "vitest";
import { createCalibration } from "./calibration.ts";

const learn = (turns: number, estimated: number, reported: number, model?: string) => {
  const calibration = createCalibration();
  for (let turn = 0; turn < turns; turn++) calibration.learn(model, () => estimated, reported);
  return calibration;
};

test("a model's figures move its counts, and those of no other model", () => {
  const calibration = learn(200, 1_000, 1_400, "llama");
  expect(calibration.factorOf("llama")).toBeCloseTo(1.4, 1);
  expect(calibration.count("one two three four five six seven eight nine ten", "llama")).toBe(14);
  expect(calibration.factorOf("other")).toBe(1);
  expect(calibration.factorOf(undefined)).toBe(1);
});

test("a single figure moves a model's counts by no more than half of the difference", () => {
  expect(learn(1, 1_000, 2_000).factorOf(undefined)).toBe(1.5);
  const settled = learn(100, 1_000, 1_000);
  settled.learn(undefined, () => 1_000, 3_900);
  expect(settled.factorOf(undefined)).toBeLessThan(1.2);
});

test.each([
  ["leaves out cached tokens", 1_000, 390],
  ["counts something else", 1_000, 20_000_000],
  ["adds a prompt of its own to a short input", 150, 450],
  ["reports nothing", 1_000, 0],
])("a provider that %s changes no count", (_, estimated, reported) => {
  expect(learn(100, estimated, reported).factorOf(undefined)).toBe(1);
});

test("a factor stays within its bounds, whatever a provider says", () => {
  expect(learn(100, 1_000, 450).factorOf(undefined)).toBe(0.75);
  expect(learn(1_000, 1_000, 3_999).factorOf(undefined)).toBe(3);
});

test("an estimate that was reported for want of a figure changes no count", () => {
  const calibration = learn(50, 1_000, 1_300);
  const before = calibration.factorOf(undefined);
  for (let turn = 0; turn < 50; turn++) calibration.learn(undefined, () => 1_000, 1_000 * before);
  expect(calibration.factorOf(undefined)).toBeCloseTo(before, 6);
});

test("the input is counted in few turns of many", () => {
  const calibration = createCalibration();
  let counted = 0;
  for (let turn = 0; turn < 1_608; turn++) {
    calibration.learn(
      undefined,
      () => {
        counted++;
        return 1_000;
      },
      1_000,
    );
  }
  expect(counted).toBe(8 + 100);
});

test("only so many models are remembered, however many callers name", () => {
  const calibration = learn(1, 1_000, 2_000, "first");
  for (let model = 0; model < 200; model++) calibration.learn(`model-${model}`, () => 1_000, 2_000);
  expect(calibration.factorOf("first")).toBe(1);
  expect(calibration.factorOf("model-199")).toBe(1.5);
});
