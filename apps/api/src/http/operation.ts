/**
 * What a route takes and answers, in the schemas that it validates with. The OpenAPI document and the tests' checks of
 * responses are made of this, so there is no second description.
 */
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import type { z } from "zod";
import type { RequestHeader, ResponseHeader } from "./headers.ts";

export type Operation = {
  /** The operation's name in generated clients; unique. */
  readonly id: string;
  /** Under which heading a reference lists it. */
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  /** By the name of the parameter in the route's path. */
  readonly params?: Readonly<Record<string, z.ZodType>>;
  readonly query?: z.ZodObject;
  readonly headers?: readonly RequestHeader[];
  /** Headers whose form is this route's own. */
  readonly ownHeaders?: Readonly<Record<string, z.ZodType>>;
  readonly body?: Content;
  /** By status. */
  readonly responses: Readonly<Record<number, OperationResponse>>;
  /** Beyond those that `errorsOf` adds to every route of its kind. */
  readonly errors?: readonly ErrorCode[];
};

export type OperationResponse = {
  readonly description: string;
  /** None: there is no body. */
  readonly content?: Content;
  readonly headers?: readonly ResponseHeader[];
};

/** By media type. The schema of an event stream is that of one event: `id`, `event` and the parsed `data`. */
export type Content = Readonly<Record<string, z.ZodType>>;

export const asJson = (schema: z.ZodType): Content => ({ "application/json": schema });

export const jsonResponse = (
  description: string,
  schema: z.ZodType,
  ...headers: readonly ResponseHeader[]
): OperationResponse => ({ description, content: asJson(schema), headers });
