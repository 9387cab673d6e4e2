import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import { FAILPOINT_CHANNEL, failpoint } from "./failpoints.ts";

test("a failpoint calls its subscribers before it returns", () => {
  const received: unknown[] = [];
  const listener = (message: unknown) => void received.push(message);
  failpoint("claimed", "job-0");
  subscribe(FAILPOINT_CHANNEL, listener);
  onTestFinished(() => void unsubscribe(FAILPOINT_CHANNEL, listener));
  failpoint("effect_done", "job-1");
  expect(received).toEqual([{ name: "effect_done", jobId: "job-1" }]);
});
