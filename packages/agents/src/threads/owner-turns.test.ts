import { expect, test } from "vitest";
import { createOwnerTurns } from "./owner-turns.ts";

const turnsOf = (maxWaiting: number, waiting: Readonly<Record<string, readonly string[]>>) => {
  const turns = createOwnerTurns<string>(maxWaiting);
  for (const [owner, items] of Object.entries(waiting)) for (const item of items) turns.add(owner, item);
  return turns;
};

test("owners take turns, each with its own order", () => {
  const turns = turnsOf(10, { ann: ["a1", "a2", "a3"], bob: ["b1", "b2"], cleo: ["c1"] });
  const order: (string | undefined)[] = [];
  for (let item = turns.next(); item !== undefined; item = turns.next()) {
    order.push(item);
    turns.done(item.startsWith("a") ? "ann" : item.startsWith("b") ? "bob" : "cleo");
  }
  expect(order).toEqual(["a1", "b1", "c1", "a2", "b2", "a3"]);
});

test("the owner of whom least is under way is next, even one that came last", () => {
  const turns = turnsOf(10, { ann: ["a1", "a2", "a3"] });
  expect(turns.next()).toBe("a1");
  turns.add("bob", "b1");
  turns.add("bob", "b2");
  expect([turns.next(), turns.next(), turns.next()]).toEqual(["b1", "a2", "b2"]);
  expect(turns.size()).toBe(1);
});

test("when too many wait, the newest of the owner with most of them gives way", () => {
  const turns = turnsOf(4, { ann: ["a1", "a2", "a3"], bob: ["b1"] });
  expect(turns.add("bob", "b2")).toBe("a3");
  expect(turns.add("ann", "a4")).toBe("a4");
  expect(turns.size()).toBe(4);
});

test("an item that is taken out of its line has no turn", () => {
  const turns = turnsOf(4, { ann: ["a1", "a2"] });
  turns.remove("ann", "a1");
  turns.remove("ann", "a1");
  turns.remove("bob", "b1");
  expect([turns.size(), turns.next(), turns.next()]).toEqual([1, "a2", undefined]);
});
