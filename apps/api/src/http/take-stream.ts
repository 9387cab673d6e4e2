import type { Response } from "express";
import type { StreamShare } from "../events/stream-share.ts";

/** Counts the response as an open one of the owner until it is closed. Throws `open_streams_limit`. */
export function takeStream(res: Response, share: StreamShare, owner: string): void {
  const release = share.take(owner);
  res.once("close", release);
  // The client has left already: "close" was emitted before.
  if (res.destroyed) release();
}
