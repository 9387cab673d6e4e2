import type { Response } from "express";

/** A signal that aborts when the client's connection is gone. */
export function abortOnClose(res: Response): AbortSignal {
  const controller = new AbortController();
  if (res.destroyed) controller.abort();
  else res.on("close", () => controller.abort());
  return controller.signal;
}
