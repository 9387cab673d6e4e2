import { pino } from "pino";
import { expect, test, vi } from "vitest";
import { bufferLines } from "./buffered-lines.ts";

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
  return { written, logger: pino({ base: null }, bufferLines(transport as never)) };
}

test("log lines are sent together after a short time", async () => {
  const { written, logger } = openLog();
  logger.info("one");
  logger.info("two");
  expect(written).toEqual([]);
  await vi.waitFor(() => expect(written).toEqual([["one", "two"]]));
  logger.info("three");
  await vi.waitFor(() => expect(written).toEqual([["one", "two"], ["three"]]));
});

test("a warning is sent at once, after the lines before it", () => {
  const { written, logger } = openLog();
  logger.info("one");
  logger.warn("two");
  logger.error("three");
  expect(written).toEqual([["one", "two"], ["three"]]);
});

test("a flush and a fatal line send all buffered lines", async () => {
  const { written, logger } = openLog();
  logger.info("one");
  await new Promise((resolve) => logger.flush(resolve));
  expect(written).toEqual([["one"]]);
  logger.info("two");
  logger.fatal("three");
  expect(written).toEqual([["one"], ["two", "three"]]);
});
