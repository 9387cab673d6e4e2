/** The worker's layers; ARCHITECTURE.md says what each is for. */
import { expect, test } from "vitest";
import { findUnlisted, findUpwardImports, type Layers } from "./layers.ts";

const WORKER: Layers = {
  root: "apps/worker/src",
  order: [
    ...["main", "is-alive", "start-worker", "compose"],
    ...["queue", "recovery", "control", "presence"],
    ...["job", "knowledge", "run", "events", "storage"],
    "config",
  ],
};

test("the list of the worker's layers names every layer and no other", () => {
  expect(findUnlisted(WORKER)).toEqual([]);
});

test("imports in the worker run downwards only", () => {
  expect(findUpwardImports(WORKER)).toEqual([]);
});
