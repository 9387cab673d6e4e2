/** JSON bodies whose size matters to their route. */
import type { IncomingMessage } from "node:http";
import { reviveBody } from "@agent-paas/shared/json/exact-json.ts";
import express, { type RequestHandler } from "express";

const sizes = new WeakMap<IncomingMessage, number>();

/** The bytes of the request's body, which `measuredJson` has read. */
export const bodySizeOf = (request: IncomingMessage): number => sizes.get(request) ?? 0;

/** Whatever the Content-Type: curl and forms that omit the header still send JSON, or get a clear error. */
export const measuredJson = (limit: number): RequestHandler =>
  express.json({
    ...{ limit, type: () => true, reviver: reviveBody },
    verify: (request, _response, body) => void sizes.set(request, body.length),
  });
