import { expect, test } from "vitest";
import { asPlugin, createRegistry, takeBack } from "./registrations.ts";

const all = ["/plugins/a.ts", "/plugins/b.ts"];
const [a, b] = all.map((file) => ({ file, all })) as [{ file: string; all: string[] }, { file: string; all: string[] }];

test("a name belongs to its first holder, who is named", () => {
  const things = createRegistry<number>("thing");
  things.add("one", 1);
  asPlugin(a, () => things.add("two", 2));
  expect(() => asPlugin(a, () => things.add("one", 3))).toThrow(
    'The thing "one" is registered already, by the platform',
  );
  expect(() => asPlugin(b, () => things.add("two", 3))).toThrow(
    'The thing "two" is registered already, by /plugins/a.ts',
  );
  expect(things.values()).toEqual([1, 2]);
});

test("nothing of a failed plugin stays, and nothing comes later", async () => {
  const [things, others] = [createRegistry<number>("thing"), createRegistry<number>("other")];
  let goOn: () => void = () => {};
  const gate = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const left = { file: "/plugins/left.ts", all };
  const later = asPlugin(left, async () => {
    things.add("mine", 1);
    others.add("mine", 1);
    await gate;
    things.add("late", 2);
  });
  things.add("platform's", 3);
  takeBack(left.file);
  expect([things.values(), others.values()]).toEqual([[3], []]);
  goOn();
  await expect(later).rejects.toThrow("/plugins/left.ts has failed and can register nothing");
  expect(things.values()).toEqual([3]);
});
