import type { DecodedEvent } from "@agent-paas/shared/contract/events.ts";
import { expect, test } from "vitest";
import { createAskingTranslate, type KnownInquiries } from "./asking-translate.ts";

const told = (content: string) => ({ event: "message", data: { type: "text", content } });
const asked = (request_id: string, more = 0) => ({
  ...{ event: "thought", data: { type: "approval_required", content: request_id, request_id, more } },
});
const DONE = { event: "done", data: {} };

/** What a client is sent of the events, and whether its stream has ended with them. */
function sentOf(known: { decided?: readonly string[]; seen?: readonly string[] }, ...events: readonly object[]) {
  const { decided = [], seen = [] } = known;
  const inquiries: KnownInquiries = { decided: new Map(decided.map((id) => [id, false])), seen: new Set(seen) };
  const translate = createAskingTranslate(inquiries, {
    ask: ({ content }, { isOpen }) => `${isOpen ? "?" : ""}${content} `,
    endAsking: () => "waits",
    tell: ({ event, data }) => (event === "message" ? `${data.content} ` : "done"),
  });
  let sent = "";
  for (const event of events) {
    const frames = translate(event as DecodedEvent);
    if (typeof frames !== "string") return sent + frames.last;
    sent += frames;
  }
  return sent;
}

test("a stream ends when all that an attempt asks was told", () => {
  expect(sentOf({}, told("one"), asked("a", 1), asked("b"), told("never"))).toBe("one ?a ?b waits");
  expect(sentOf({ decided: ["a"] }, asked("a", 1), asked("b"))).toBe("a ?b waits");
  expect(sentOf({ decided: ["a", "b"] }, told("one"), asked("a", 1), asked("b"), told("two"), DONE)).toBe(
    "one a b two done",
  );
});

test("what comes up to the last inquiry that the client has seen is not sent again", () => {
  const decided = { decided: ["a", "b"], seen: ["a", "b"] };
  expect(sentOf(decided, told("one"), asked("a", 1), asked("b"), told("two"), DONE)).toBe("two done");
  expect(sentOf({ decided: ["a"], seen: ["a", "b"] }, told("one"), asked("a", 1), asked("b"))).toBe("waits");
  expect(sentOf({ decided: ["a"], seen: ["a"] }, asked("a"), told("two"), asked("b"))).toBe("two ?b waits");
});

test("if the log has lost what the client has seen, the rest is sent when the job waits or ends", () => {
  const lost = { decided: ["a"], seen: ["a"] };
  expect(sentOf(lost, told("two"), asked("b", 1), asked("c"))).toBe("two ?b ?c waits");
  expect(sentOf(lost, told("two"), DONE)).toBe("two done");
});

test("if the log has lost a part of what the client has seen, nothing up to the other part is sent again", () => {
  const lost = { decided: ["a", "b"], seen: ["a", "b"] };
  expect(sentOf(lost, told("one"), asked("b"), told("two"), DONE)).toBe("two done");
});
