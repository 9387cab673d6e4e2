/** Reads from a request's headers what a job takes over from them. */
import { createHash } from "node:crypto";
import { LOCALES, type Locale, LocaleSchema } from "@agent-paas/shared/contract/locale.ts";
import type { Request } from "express";
import type { JobOrigin } from "../jobs/job-origin.ts";
import type { Idempotency } from "../queue/accept-request.ts";
import { validate } from "../validation/validate.ts";
import type { Caller } from "./door.ts";
import { REQUEST_HEADERS } from "./headers.ts";

/** `text`: the message or task, whose language counts if the client asks for none. */
export const originOf = (req: Request, { owner, requestId, note }: Caller, text = ""): JobOrigin => ({
  owner,
  requestId,
  note,
  locale: localeOf(req, text),
  traceparent: readTraceparent(req.get("traceparent")),
});

/** What fetch and other clients send when nobody has chosen a language. */
const ANY_LANGUAGE = "*";

function localeOf(req: Request, text: string): Locale {
  const asked = req.get("accept-language")?.trim() || ANY_LANGUAGE;
  const chosen = asked === ANY_LANGUAGE ? undefined : LocaleSchema.safeParse(req.acceptsLanguages(...LOCALES)).data;
  return chosen ?? (text === "" || HAN.test(text) ? "zh" : "en");
}

const HAN = /\p{Script=Han}/u;

/** Version, trace id, parent id and flags of W3C Trace Context; version `ff` and ids of zeros are invalid. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** An invalid header is ignored, as the standard says. */
export const readTraceparent = (header: string | undefined): string | undefined =>
  header !== undefined && TRACEPARENT.test(header) ? header : undefined;

/** Null without the header. Throws `invalid_request`. */
export function readIdempotency(req: Request): Idempotency | null {
  const key = req.get("idempotency-key");
  if (key === undefined) return null;
  return idempotencyOf(req, validate(REQUEST_HEADERS["Idempotency-Key"], key, ["Idempotency-Key"]));
}

/** The path belongs to the hash, because the same body may be sent to two agents. */
export const idempotencyOf = (req: Request, key: string): Idempotency => ({
  key,
  bodyHash: createHash("sha256")
    .update(`${req.path}\n`)
    .update(JSON.stringify(req.body ?? {}))
    .digest("hex"),
});
