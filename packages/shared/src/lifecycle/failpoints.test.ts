import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import { FAILPOINT_CHANNEL, failpoint } from "./failpoints.ts";

test("a subscriber of the failpoint channel is called within the call", () => {
  const heard: unknown[] = [];
  const listener = (message: unknown) => void heard.push(message);
  failpoint("claimed", "unheard");
  subscribe(FAILPOINT_CHANNEL, listener);
  onTestFinished(() => void unsubscribe(FAILPOINT_CHANNEL, listener));
  failpoint("effect_done", "job-1");
  expect(heard).toEqual([{ name: "effect_done", jobId: "job-1" }]);
});
