/** Web pages that may call the door, against pages that reach a local server under a name of their own. */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Programs send no Origin; pages of this machine may call, and those of `allowed`. Throws `origin_not_allowed`. */
export function assertOriginAllowed(origin: string | undefined, allowed: readonly string[]): void {
  if (origin === undefined || allowed.includes("*") || allowed.includes(origin)) return;
  if (URL.canParse(origin) && LOOPBACK.includes(new URL(origin).hostname)) return;
  throw new PlatformError("origin_not_allowed");
}
