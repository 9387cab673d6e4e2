/** What becomes of the job of a client that goes away: nothing (I7), unless the request asks for its end. */
import type { Request, Response } from "express";
import { cancelJob } from "../jobs/cancel-job.ts";
import type { Services } from "../services.ts";
import { validate } from "../validation/validate.ts";
import type { Caller } from "./door.ts";
import { REQUEST_HEADERS } from "./headers.ts";

const HEADER = "X-Cancel-On-Disconnect";

/** Throws `invalid_request`. */
export function readCancelsOnDisconnect(req: Request): boolean {
  const value = req.get(HEADER);
  return value !== undefined && validate(REQUEST_HEADERS[HEADER], value, [HEADER]) === "true";
}

/** A process that stops ends its responses itself: their clients have not left. */
export function cancelOnDisconnect(
  res: Response,
  services: Pick<Services, "jobs" | "queuedJobs" | "cancellation">,
  { owner, note }: Pick<Caller, "owner" | "note">,
  jobId: string,
): void {
  const leave = () => {
    if (res.writableEnded) return;
    cancelJob(services, owner, jobId).catch((err) => note({ cancel_failed: err }));
  };
  if (res.destroyed) leave();
  else res.once("close", leave);
}
