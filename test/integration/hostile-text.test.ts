/** What one client sends must not hold up the others: long paths of refused requests, and schemas that take long. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { startTestPlatform, type TestPlatform } from "../support/platform.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await startTestPlatform();
});
afterAll(() => platform.stop());

/** Each definition refers to the next one twice, so a check takes 2^40 steps. */
function endlessSchema(title: string): object {
  const next = (at: number) => ({ $ref: `#/$defs/d${at}` });
  const forks = Array.from({ length: 40 }, (_, at) => [`d${at}`, { allOf: [next(at + 1), next(at + 1)] }]);
  return { title, ...next(0), $defs: { ...Object.fromEntries(forks), d40: { type: "object" } } };
}

test("chats whose schemas use up the time of their checks do not hold up another client's chats", async () => {
  const answers = Array.from({ length: 30 }, () => ({ text: "{}" }));
  await platform.model.script({ match: "slow", steps: answers });
  await platform.model.script({ match: "quick", steps: answers });
  const slow = await Promise.all(
    Array.from({ length: 12 }, (_, at) => {
      const response_schema = endlessSchema(`schema ${at}`);
      return platform.alice.execute(`slow ${at}`, { config: { response_schema } });
    }),
  );
  const ended: string[] = [];
  const all = slow.map(async (id) => {
    const { error } = await platform.alice.ended(id);
    ended.push("slow");
    return error?.code;
  });
  const plain = { response_schema: { type: "object" } };
  const costly = { response_schema: { $ref: "#/$defs/any", $defs: { any: { type: "object" } } } };
  for (const options of [{ config: undefined }, { config: plain }, { config: costly }]) {
    const job = await platform.bob.ended(await platform.bob.execute("quick", options));
    expect(job).toMatchObject({ status: "completed", error: null });
    // On a busy machine any check may exceed its time, and its job is retried; without one no job starts over.
    if (options.config === undefined) expect(job.attempt).toBe(1);
    ended.push("quick");
  }
  // The first check of a slow job takes a second: some are still under way.
  expect(ended.filter((which) => which === "slow").length).toBeLessThan(slow.length);
  // On a busy machine even compiling may exceed its time, which makes the config invalid.
  const codes = ["response_schema_mismatch", "invalid_config"];
  for (const code of await Promise.all(all)) expect(codes).toContain(code);
  await platform.model.clear();
});

test("a schema beyond the limits fails its job without a model call, and says which limit", async () => {
  const pattern = { pattern: "(\\pL|xN){1000}" };
  const config = { response_schema: { allOf: Array.from({ length: 100 }, () => pattern) } };
  const job = await platform.alice.ended(await platform.alice.execute("patterns", { config }));
  expect(job.error).toMatchObject({
    code: "invalid_config",
    message: expect.stringContaining("more than 50 patterns"),
  });
});
