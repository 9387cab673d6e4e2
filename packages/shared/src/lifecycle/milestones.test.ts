import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { expect, onTestFinished, test } from "vitest";
import { MILESTONE_CHANNEL, reach } from "./milestones.ts";

test("who has subscribed is told, within the call", () => {
  const heard: unknown[] = [];
  const listener = (message: unknown) => void heard.push(message);
  reach("claimed", "unheard");
  subscribe(MILESTONE_CHANNEL, listener);
  onTestFinished(() => void unsubscribe(MILESTONE_CHANNEL, listener));
  reach("effect_done", "job-1");
  expect(heard).toEqual([{ name: "effect_done", jobId: "job-1" }]);
});
