import { expect, test } from "vitest";
import { createSessionShare } from "./session-share.ts";

/** A share over a count that the test sets, and how often it was asked. */
function shareOf(maxSessions: number, sessions: number) {
  const rows = { sessions, counted: 0 };
  const share = createSessionShare(async () => {
    rows.counted += 1;
    return rows.sessions;
  }, maxSessions);
  return { rows, share };
}

test("sessions that this process has begun since the last count fill the share", async () => {
  const { share } = shareOf(10, 8);
  const answers = [];
  for (let at = 0; at < 4; at++) answers.push(await share.isUsedUp("alice"));
  expect(answers).toEqual([false, false, true, true]);
  expect(await share.isUsedUp("bob")).toBe(false);
});

test("a share with much room counts once for many sessions, and requests at once share one count", async () => {
  const { rows, share } = shareOf(100_000, 5);
  await Promise.all(Array.from({ length: 500 }, () => share.isUsedUp("alice")));
  expect(rows.counted).toBe(1);
});

test("a count that fails refuses nobody", async () => {
  const share = createSessionShare(() => Promise.reject(new Error("no database")), 1);
  expect(await share.isUsedUp("alice")).toBe(false);
});
