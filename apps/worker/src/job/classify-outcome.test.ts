import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { expect, test } from "vitest";
import { WriterRefused } from "../events/job-event-writer.ts";
import { classifyOutcome } from "./classify-outcome.ts";
import { type AbortReason, RunAborted } from "./running-jobs.ts";

const running = new AbortController().signal;
const aborted = (reason: AbortReason) => AbortSignal.abort(new RunAborted(reason));

test.each([
  ["cancelled", "cancelled"],
  ["superseded", "superseded"],
  ["shutdown", "requeued"],
] as const)("an abort as %s decides, whatever the run threw", (reason, kind) => {
  const failure = classifyOutcome(new PlatformError("model_unavailable"), aborted(reason), true);
  expect(failure).toEqual({ kind });
});

test("the time limit of a job is no passing fault", () => {
  const failure = classifyOutcome(new Error("socket closed"), aborted("deadline"), true);
  expect(failure).toMatchObject({ kind: "failed", error: { code: "deadline_exceeded" } });
});

test("a passing fault is tried again while tries are left", () => {
  const error = new PlatformError("model_rate_limited");
  expect(classifyOutcome(error, running, true)).toEqual({ kind: "retry", error });
  expect(classifyOutcome(error, running, false)).toEqual({ kind: "failed", error });
});

test("a fault that no retry heals fails at once", () => {
  const error = new PlatformError("model_auth_failed");
  expect(classifyOutcome(error, running, true)).toEqual({ kind: "failed", error });
});

test("what an agent throws of its own fails, and its words stay inside", () => {
  const failure = classifyOutcome(new Error("secret detail"), running, true);
  expect(failure).toMatchObject({ kind: "failed", error: { code: "agent_failed", message: "The agent failed." } });
});

test("a refused write means that the job is another's", () => {
  expect(classifyOutcome(new WriterRefused(), running, true)).toEqual({ kind: "superseded" });
});
