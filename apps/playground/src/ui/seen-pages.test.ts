import { expect, test } from "vitest";
import { behind, inFront, type SeenPages } from "./seen-pages.ts";

type Item = { readonly id: string; readonly name: string };

const items = (...ids: readonly string[]): Item[] => ids.map((id) => ({ id, name: `the ${id}` }));
const seen = (next: string | null, ...ids: readonly string[]): SeenPages<Item> => ({
  ...{ items: items(...ids), next, error: null },
});
const NONE: SeenPages<Item> = { items: undefined, next: null, error: new Error("away") };

test("the first page is the list, and its coming ends an error", () => {
  expect(inFront(NONE, { items: items("c", "b"), next: "b" })).toEqual(seen("b", "c", "b"));
});

test("a page that is read on stands behind, without what came to it meanwhile", () => {
  const more = behind(seen("b", "c", "b"), { items: items("b", "a"), next: null });
  expect(more).toEqual(seen(null, "c", "b", "a"));
});

test("a first page that comes again brings what is new, and keeps what was read on", () => {
  const again = inFront(seen("a", "c", "b", "a"), { items: items("d", "c"), next: "c" });
  expect(again).toEqual(seen("a", "d", "c", "b", "a"));
});

test("what stands anew in the first page does not stand behind it as well", () => {
  const replaced = [{ id: "a", name: "the new a" }, ...items("c")];
  expect(inFront(seen("a", "c", "b", "a"), { items: replaced, next: "c" }).items).toEqual([...replaced, ...items("b")]);
});

test("what was deleted elsewhere leaves the first page", () => {
  const again = inFront(seen("a", "d", "c", "b", "a"), { items: items("d", "b"), next: "b" });
  expect(again).toEqual(seen("a", "d", "b", "a"));
});

test("a first page that is all there is drops what has been deleted elsewhere", () => {
  expect(inFront(seen(null, "c", "b"), { items: items("c"), next: null })).toEqual(seen(null, "c"));
});

test("a first page that reaches beyond what was seen is read on from its own end", () => {
  // Of three that were seen one was deleted elsewhere, and the page has filled up from behind.
  expect(inFront(seen("b", "d", "c", "b"), { items: items("d", "b", "a"), next: "a" })).toEqual(
    seen("a", "d", "b", "a"),
  );
});

test("an empty first page of a search leaves what was found further back", () => {
  expect(inFront(seen("a", "b", "a"), { items: [], next: "c" })).toEqual(seen("a", "b", "a"));
});
