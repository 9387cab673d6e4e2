/** JSON bodies whose size matters to their route. */
import type { IncomingMessage } from "node:http";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { reviveBody } from "@agent-paas/shared/json/exact-json.ts";
import express, { type Request, type RequestHandler } from "express";

const sizes = new WeakMap<IncomingMessage, number>();

/** For `limitBody`, of a body that is read otherwise. */
export const noteSize = (request: IncomingMessage, bytes: number): void => void sizes.set(request, bytes);

/**
 * Of a body whose size is known, all but the field, which has limits of its own, is no larger than other
 * bodies may be. Throws `payload_too_large`. `field`: null for none.
 */
export function limitBody(request: Request, most: number, field: string | null): void {
  const bytes = sizes.get(request) ?? 0;
  if (bytes <= most) return;
  const { [field ?? ""]: _, ...others } = (request.body ?? {}) as Record<string, unknown>;
  // Not the difference: clients may escape what is in the field.
  const ofOthers = field === null ? bytes : Buffer.byteLength(JSON.stringify(others));
  if (ofOthers > most) throw new PlatformError("payload_too_large");
}

/**
 * Whatever the Content-Type: curl and forms that omit the header still send JSON, or get a clear error. `mostValues`
 * bounds what parsing costs: each value takes far longer than its bytes, and texts as long as a body take no time.
 */
export const measuredJson = (limit: number, mostValues = limit): RequestHandler =>
  express.json({
    ...{ limit, type: () => true, reviver: reviveBody },
    verify(request, _response, body) {
      noteSize(request, body.length);
      if (body.length > mostValues && hasMoreValues(body, mostValues)) {
        throw Object.assign(new Error(`more than ${mostValues} values`), { type: "entity.too.large" });
      }
    },
  });

const [COMMA, COLON, BRACKET, BRACE] = Buffer.from(",:[{");

/** Counts what stands before a value; those within texts count as well. */
function hasMoreValues(json: Buffer, most: number): boolean {
  let values = 0;
  for (const byte of json) {
    if (byte === COMMA || byte === COLON || byte === BRACKET || byte === BRACE) values++;
  }
  return values > most;
}
