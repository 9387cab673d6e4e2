import { pino } from "pino";
import { expect, test, vi } from "vitest";
import { gatherLines } from "./gathered-lines.ts";

function openLog() {
  const written: string[][] = [];
  const transport = {
    write: (lines: string) =>
      void written.push(
        lines
          .trim()
          .split("\n")
          .map((line) => JSON.parse(line).msg),
      ),
    flush: (done: () => void) => done(),
    flushSync: () => {},
  };
  return { written, logger: pino({ base: null }, gatherLines(transport as never)) };
}

test("lines go together, a moment later", async () => {
  const { written, logger } = openLog();
  logger.info("one");
  logger.info("two");
  expect(written).toEqual([]);
  await vi.waitFor(() => expect(written).toEqual([["one", "two"]]));
  logger.info("three");
  await vi.waitFor(() => expect(written).toEqual([["one", "two"], ["three"]]));
});

test("a warning goes at once, behind what was said before it", () => {
  const { written, logger } = openLog();
  logger.info("one");
  logger.warn("two");
  logger.error("three");
  expect(written).toEqual([["one", "two"], ["three"]]);
});

test("nothing is left when the process ends, in order or not", async () => {
  const { written, logger } = openLog();
  logger.info("one");
  await new Promise((resolve) => logger.flush(resolve));
  expect(written).toEqual([["one"]]);
  logger.info("two");
  logger.fatal("three");
  expect(written).toEqual([["one"], ["two", "three"]]);
});
