import { expect, test } from "vitest";
import { DONE, delta, outcomeOf } from "../../../../../test/support/streaming-provider.ts";

const HELLO = delta({ content: "Hello" }, "stop");

/** Input, output and total of a turn whose answer is "Hello" to "Hi". */
async function usageOf(...chunks: readonly object[]): Promise<readonly (number | undefined)[]> {
  const { turn } = await outcomeOf([...chunks, DONE]);
  return [turn?.usage.input_tokens, turn?.usage.output_tokens, turn?.usage.total_tokens];
}

const ESTIMATE = [5, 1, 6];
const counts = (prompt_tokens: unknown, completion_tokens: unknown, total_tokens?: unknown) => ({
  usage: { prompt_tokens, completion_tokens, total_tokens },
});

test.each<[string, object, readonly number[]]>([
  ["as OpenAI writes it", { choices: [], ...counts(2, 3, 5) }, [2, 3, 5]],
  ["without a total", { choices: [], ...counts(2, 3) }, [2, 3, 5]],
  ["with a total below the sum", { choices: [], ...counts(2, 3, 1) }, [2, 3, 5]],
  ["with hidden reasoning in the total", { choices: [], ...counts(2, 3, 105) }, [2, 3, 105]],
  ["as text", { choices: [], ...counts("2", "3", "5") }, [2, 3, 5]],
  ["in the choice", { choices: [{ index: 0, delta: {}, ...counts(2, 3, 5) }] }, [2, 3, 5]],
  ["as Groq writes it", { choices: [], x_groq: { id: "x", ...counts(2, 3, 5) } }, [2, 3, 5]],
  ["by other names", { choices: [], usage: { input_tokens: 2, output_tokens: 3 } }, [2, 3, 5]],
  ["in part", { choices: [], ...counts(2, null) }, [2, 1, 3]],
  ["negative", { choices: [], ...counts(-2, -3, -5) }, ESTIMATE],
  ["fractional", { choices: [], ...counts(2.5, 3.5, 6) }, ESTIMATE],
  ["huge", { choices: [], ...counts(1e15, 1e300, 2 ** 53) }, ESTIMATE],
  ["zero", { choices: [], ...counts(0, 0, 0) }, ESTIMATE],
  ["as words", { choices: [], ...counts("many", "few", "NaN") }, ESTIMATE],
  ["null", { choices: [], usage: null }, ESTIMATE],
  ["a list", { choices: [], usage: [1, 2] }, ESTIMATE],
])("usage %s", async (_, chunk, expected) => {
  expect(await usageOf(HELLO, chunk)).toEqual(expected);
});

test("of usage in every chunk the last one counts", async () => {
  expect(await usageOf({ ...HELLO, ...counts(2, 1, 3) }, { choices: [], ...counts(2, 3, 5) })).toEqual([2, 3, 5]);
  expect(await usageOf({ ...HELLO, ...counts(2, 3, 5) }, { choices: [], ...counts(0, 0, 0) })).toEqual([2, 3, 5]);
});

test("input and output may come apart", async () => {
  expect(await usageOf({ ...HELLO, ...counts(2, null) }, { choices: [], ...counts(null, 3) })).toEqual([2, 3, 5]);
});
