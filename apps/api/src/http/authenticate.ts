/** Finds the owner of the request's API key. Only SHA-256 digests of keys are configured, compared in constant time. */
import { hash, timingSafeEqual } from "node:crypto";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import type { Request } from "express";
import type { ApiConfig } from "../config.ts";

export type Authenticate = (req: Request) => string;

/** Throws `missing_api_key` or `invalid_api_key`. */
export function createAuthenticate(apiKeys: ApiConfig["API_KEYS"]): Authenticate {
  const known = apiKeys.map(({ name, sha256 }) => ({ name, digest: Buffer.from(sha256, "hex") }));
  return (req) => {
    const key = readKey(req);
    if (key === null) throw new PlatformError("missing_api_key");
    const digest = hash("sha256", key, "buffer");
    let owner: string | null = null;
    // Every known key is compared, so that the time does not reveal which one matched.
    for (const { name, digest: candidate } of known) if (timingSafeEqual(candidate, digest)) owner = name;
    if (owner === null) throw new PlatformError("invalid_api_key");
    return owner;
  };
}

/** Whether the request carries a key, valid or not. */
export const carriesKey = (req: Request): boolean => readKey(req) !== null;

function readKey(req: Request): string | null {
  const bearer = /^Bearer +(\S+)$/i.exec(req.get("authorization") ?? "")?.[1];
  return bearer ?? req.get("x-api-key") ?? null;
}
