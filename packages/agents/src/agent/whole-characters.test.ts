import { expect, test } from "vitest";
import { type AgentEvent, reset, text, thought } from "./events.ts";
import { createWholeCharacters } from "./whole-characters.ts";

function show(...events: AgentEvent[]): AgentEvent[] {
  const characters = createWholeCharacters();
  return [...events.map(characters.show), ...characters.rest()].filter((event) => event !== null);
}

test("a character that was cut in two is shown whole, also with other events between its halves", () => {
  const status = thought("status", "Meanwhile");
  expect(show(text("a\ud83d"), status, text("\ude00b"))).toEqual([text("a"), status, text("😀b")]);
  expect(show(text("\ud83d"), text("\ude00"))).toEqual([text("😀")]);
  const [first, second] = [thought("reasoning", "\ud83d"), thought("reasoning", "\ude00")];
  expect(show(first, text("x\ud83d"), second, text("\ude00"))).toEqual([
    text("x"),
    thought("reasoning", "😀"),
    text("😀"),
  ]);
});

test("a half that stays alone is a replacement character", () => {
  expect(show(text("a\ud83d"))).toEqual([text("a"), text("\ufffd")]);
  expect(show(text("\ud83d"), text("b\ude00c"))).toEqual([text("\ufffdb\ufffdc")]);
});

test("a reset drops the half before it, and is never held back", () => {
  expect(show(text("\ud83d"), reset(""), text("b"))).toEqual([reset(""), text("b")]);
  expect(show(reset("\ud83d"), text("\ude00"))).toEqual([reset(""), text("😀")]);
});

test("well-formed events pass as they are", () => {
  const events = [text(""), text("a😀"), thought("status", "s")];
  expect(show(...events).every((event, at) => event === events[at])).toBe(true);
});
