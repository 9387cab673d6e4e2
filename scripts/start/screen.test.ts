import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { createScreen } from "./screen.ts";

/** A terminal that takes text only while it is read. */
function createTerminal() {
  let isRead = true;
  let text = "";
  let next: (() => void) | undefined;
  const out = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      const take = () => {
        text += chunk;
        done();
      };
      if (isRead) take();
      else next = take;
    },
  });
  return {
    out,
    text: () => text,
    stop: () => {
      isRead = false;
    },
    go: () => {
      isRead = true;
      next?.();
    },
  };
}

test("a screen whose terminal is not read costs a bounded amount of memory, and says what it does not show", async () => {
  const terminal = createTerminal();
  const screen = createScreen(terminal.out);
  screen.output("api", "before");
  terminal.stop();
  for (let line = 0; line < 1_000; line++) screen.output("api", "x".repeat(1_000));
  expect(terminal.out.writableLength).toBeLessThan(300 * 1_024);
  // Returns although nobody reads.
  await screen.flush();
  terminal.go();
  await screen.flush();
  screen.output("api", "after");
  await screen.flush();
  const lines = terminal.text().trimEnd().split("\n");
  expect(lines.at(-1)).toContain("after");
  const dropped = Number(/\((\d+) lines are not shown/.exec(lines.at(-2) ?? "")?.[1]);
  expect(dropped + lines.filter((line) => line.includes("xxx")).length).toBe(1_000);
});

test.each([
  ["the key that was made", "ap_1/2", "http://127.0.0.1:3000/#key=ap_1%2F2"],
  ["no key where only hashes are known", undefined, "http://127.0.0.1:3000/"],
])("the welcome links the page with %s", async (_, apiKey, link) => {
  const terminal = createTerminal();
  const screen = createScreen(terminal.out);
  screen.welcome({ url: "http://127.0.0.1:3000", apiKey, model: "m", dataDir: "data", logDir: undefined });
  await screen.flush();
  const lines = terminal.text().split("\n");
  expect(
    lines
      .find((line) => line.includes("  Page "))
      ?.trim()
      .split(/ +/),
  ).toEqual(["Page", link]);
});
