import { expect, test } from "vitest";
import { seededRandom } from "../../../../test/support/seeded-random.ts";
import { AppendOnlyText } from "./append-only-text.ts";

const say = (content: string) => ({ type: "text", content }) as const;
const reset = (content = "") => ({ type: "reset", content }) as const;

function sentOf(...messages: readonly (ReturnType<typeof say> | ReturnType<typeof reset>)[]): string {
  const text = new AppendOnlyText();
  return messages.map((message) => text.apply(message)).join("") + text.end();
}

test("a text without a reset is sent as it comes", () => {
  expect(sentOf(say("Hello"), say(", "), say("you."))).toBe("Hello, you.");
});

test("an attempt that repeats the text goes on where it broke off", () => {
  expect(sentOf(say("Hello, y"), reset(), say("Hel"), say("lo, you"), say("."))).toBe("Hello, you.");
  expect(sentOf(say("Hello"), reset(), say("He"), reset(), say("Hello"), say("!"))).toBe("Hello!");
  expect(sentOf(say("Hello, y"), reset("Hello, you."))).toBe("Hello, you.");
});

test("an attempt that says something else follows whole, behind an empty line", () => {
  expect(sentOf(say("Hello, y"), reset(), say("Hel"), say("p is near."))).toBe("Hello, y\n\nHelp is near.");
  expect(sentOf(say("Hello"), reset(), say("Bye"), reset(), say("By"), say("e."))).toBe("Hello\n\nBye.");
});

test("a text that ends before it has repeated the one before follows whole", () => {
  expect(sentOf(say("Hello, you."), reset("Hello"))).toBe("Hello, you.\n\nHello");
  expect(sentOf(say("Hello"), reset())).toBe("Hello");
});

test("what was sent ends with the last text, wherever texts are cut and attempts break off", () => {
  const random = seededRandom(17);
  for (let round = 0; round < 500; round++) {
    const text = new AppendOnlyText();
    let sent = "";
    let shown = "";
    for (let attempt = 0; attempt <= 3; attempt++) {
      if (attempt > 0) sent += text.apply(reset());
      shown = "";
      const isLast = attempt === 3;
      const length = isLast ? 12 : random.int(0, 11);
      while (shown.length < length) {
        const piece = random.pick(["a", "ab", "abc"]);
        sent += text.apply(say(piece));
        shown += piece;
      }
    }
    sent += text.end();
    expect(sent.endsWith(shown), `${shown} of ${sent}`).toBe(true);
  }
});
