/** An operation of the OpenAPI document, from the description of its route. */
import { ERROR_CODES, type ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import type { z } from "zod";
import type { MountedRoute, Route } from "../../http/door.ts";
import { REQUEST_HEADERS } from "../../http/headers.ts";
import type { Content } from "../../http/operation.ts";
import { errorsOf } from "../../http/route-errors.ts";
import type { Json, JsonSchemas } from "./json-schemas.ts";

const reference = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` });

export const exampleName = (basePath: string, code: ErrorCode): string =>
  [...basePath.split("/").filter(Boolean), code].join("_");

const SECURITY: Readonly<Record<Route["access"], readonly Json[]>> = {
  key: [{ bearer: [] }, { api_key: [] }],
  optional_key: [{}, { bearer: [] }, { api_key: [] }],
  public: [{}],
};

export function describeOperation({ door, route }: MountedRoute, schemas: JsonSchemas): Json {
  const { operation, access } = route;
  const { id, tag, summary, description, body } = operation;
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description === undefined ? {} : { description }),
    security: SECURITY[access],
    parameters: parametersOf(route, schemas),
    ...(body === undefined ? {} : { requestBody: { required: true, content: contentOf(body, schemas.ofInput) } }),
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.responses).map(([status, { description, content, headers = [] }]) => [
          status,
          {
            description,
            headers: headersOf(["X-Request-Id", ...headers]),
            ...(content === undefined ? {} : { content: contentOf(content, schemas.ofOutput) }),
          },
        ]),
      ),
      ...errorResponses({ door, route }, schemas),
    },
  };
}

function parametersOf(
  { operation: { params = {}, query, headers = [], ownHeaders = {} } }: Route,
  schemas: JsonSchemas,
): Json[] {
  const describe =
    (place: string) =>
    ([name, schema]: readonly [string, z.ZodType]) => ({
      name,
      in: place,
      required: place === "path" || !schema.safeParse(undefined).success,
      ...(schema.description === undefined ? {} : { description: schema.description }),
      schema: schemas.ofInput(schema),
    });
  return [
    ...Object.entries(params).map(describe("path")),
    ...Object.entries((query?.shape ?? {}) as Record<string, z.ZodType>).map(describe("query")),
    ...[...headers.map((name) => [name, REQUEST_HEADERS[name]] as const), ...Object.entries(ownHeaders)].map(
      (header) => ({ ...describe("header")(header), required: false }),
    ),
  ];
}

const contentOf = (content: Content, convert: (schema: z.ZodType) => Json): Json =>
  Object.fromEntries(Object.entries(content).map(([mediaType, schema]) => [mediaType, { schema: convert(schema) }]));

const headersOf = (names: readonly string[]): Json =>
  Object.fromEntries(names.map((name) => [name, reference("headers", name)]));

/** One response for each status, with the codes that may come with it. */
function errorResponses({ door, route }: Pick<MountedRoute, "door" | "route">, schemas: JsonSchemas): Json {
  const byStatus = Map.groupBy(errorsOf(route), (code) => ERROR_CODES[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => `\`${code}\`: ${ERROR_CODES[code].message}`).join("\n\n"),
        headers: headersOf(["X-Request-Id", ...(HEADERS_OF_ERRORS[status] ?? [])]),
        content: {
          "application/json": {
            schema: schemas.ofOutput(door.errorSchema(codes)),
            examples: Object.fromEntries(
              codes.map((code) => [code, reference("examples", exampleName(door.basePath, code))]),
            ),
          },
        },
      },
    ]),
  );
}

const HEADERS_OF_ERRORS: Readonly<Record<number, readonly string[]>> = {
  401: ["WWW-Authenticate"],
  429: ["Retry-After"],
  503: ["Retry-After"],
};
