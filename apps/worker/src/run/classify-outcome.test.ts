import { StorageOutage } from "@agent-paas/shared/db/storage-outage.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { WriterRefused } from "../events/job-event-writer.ts";
import { classifyOutcome } from "./classify-outcome.ts";
import { type AbortReason, RunAborted } from "./run-control.ts";

const running = new AbortController().signal;
const aborted = (reason: AbortReason) => AbortSignal.abort(new RunAborted(reason));

test.each([
  ["cancelled", "cancelled"],
  ["superseded", "superseded"],
  ["shutdown", "requeued"],
] as const)("a run that was aborted as %s has that outcome, whatever error it threw", (reason, kind) => {
  const outcome = classifyOutcome(new PlatformError("model_unavailable"), aborted(reason), true);
  expect(outcome).toEqual({ kind });
});

test("a run that reaches the time limit of an attempt fails its job without a retry", () => {
  const outcome = classifyOutcome(new Error("socket closed"), aborted("deadline"), true);
  expect(outcome).toMatchObject({ kind: "failed", error: { code: "deadline_exceeded" } });
});

test("a retryable error is retried while retries are left", () => {
  const error = new PlatformError("model_rate_limited");
  expect(classifyOutcome(error, running, true)).toEqual({ kind: "retry", error });
  expect(classifyOutcome(error, running, false)).toEqual({ kind: "failed", error });
});

test("an outage of the database that outlasted the wait fails the job as such, although retries are left", () => {
  const error = new StorageOutage(new Error("disk I/O error"));
  expect(classifyOutcome(error, running, true)).toEqual({ kind: "failed", error });
  expect(classifyOutcome(new Error("aborted"), AbortSignal.abort(error), true)).toEqual({ kind: "failed", error });
  expect(error.code).toBe("storage_unavailable");
});

test("a terminal error fails the job at once", () => {
  const error = new PlatformError("model_auth_failed");
  expect(classifyOutcome(error, running, true)).toEqual({ kind: "failed", error });
});

test("an unexpected error of an agent fails the job, and its text stays hidden", () => {
  const outcome = classifyOutcome(new Error("secret detail"), running, true);
  expect(outcome).toMatchObject({ kind: "failed", error: { code: "agent_failed", message: "The agent failed." } });
});

test("a refused write means that a higher fencing token owns the job", () => {
  expect(classifyOutcome(new WriterRefused(), running, true)).toEqual({ kind: "superseded" });
});
