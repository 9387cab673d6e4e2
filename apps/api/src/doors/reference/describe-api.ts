/** The OpenAPI document of all doors. It has no description of its own: all of it comes from doors and routes. */
import type { ErrorCode } from "@agent-paas/shared/errors/codes.ts";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { VERSION } from "@agent-paas/shared/version.ts";
import { type Door, type MountedRoute, mountedRoutes } from "../../http/door.ts";
import { RESPONSE_HEADERS } from "../../http/headers.ts";
import { errorsOf } from "../../http/route-errors.ts";
import type { Services } from "../../services.ts";
import { describeOperation, exampleName } from "./describe-operation.ts";
import { createJsonSchemas, type Json, type JsonSchemas } from "./json-schemas.ts";

const DESCRIPTION = `Runs agents behind an HTTP API: a chat answer streams as Server-Sent Events, a task gets a job id
at once. All bodies are JSON in UTF-8. A field of a request that may be absent may be null as well, with the same
meaning. Later versions may add fields, types of thoughts and error codes.`;

export type OpenApi = {
  readonly openapi: string;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: Readonly<Record<string, Json>>;
} & Json;

/** `/jobs/:id` of Express is `/jobs/{id}` of OpenAPI. */
export const documentedPath = (path: string): string =>
  path
    .split("/")
    .map((part) => (part.startsWith(":") ? `{${part.slice(1)}}` : part))
    .join("/");

export function describeApi(doors: readonly Door[]): OpenApi {
  // Routes use their services only once a request has come.
  const routes = mountedRoutes(doors, {} as Services);
  const schemas = createJsonSchemas();
  const paths = describePaths(routes, schemas);
  return {
    openapi: "3.1.1",
    info: {
      title: "Agent PaaS",
      version: VERSION,
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    tags: doors.flatMap(({ tags }) => Object.entries(tags).map(([name, description]) => ({ name, description }))),
    paths,
    components: {
      schemas: schemas.components,
      headers: describeHeaders(schemas),
      examples: describeErrors(routes),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "An API key: `Authorization: Bearer KEY`." },
        api_key: { type: "apiKey", in: "header", name: "X-API-Key", description: "The same key in its own header." },
      },
    },
  };
}

const describePaths = (routes: readonly MountedRoute[], schemas: JsonSchemas): OpenApi["paths"] =>
  Object.fromEntries(
    [...Map.groupBy(routes, ({ path }) => documentedPath(path))].map(([path, mounted]) => [
      path,
      Object.fromEntries(mounted.map((one) => [one.route.method, describeOperation(one, schemas)])),
    ]),
  );

const describeHeaders = (schemas: JsonSchemas): Json =>
  Object.fromEntries(
    Object.entries(RESPONSE_HEADERS).map(([name, schema]) => [
      name,
      { description: schema.description, schema: schemas.ofOutput(schema) },
    ]),
  );

const REQUEST_ID = "019a8d3e-52ff-7d10-b8a9-0c1d2e3f4a5b";

/** An example of every error that a route may answer with, in the format of the route's door. */
function describeErrors(routes: readonly MountedRoute[]): Json {
  const example = (door: Door, code: ErrorCode) => [
    exampleName(door.basePath, code),
    { value: door.formatError(new PlatformError(code), REQUEST_ID) },
  ];
  return Object.fromEntries(routes.flatMap(({ door, route }) => errorsOf(route).map((code) => example(door, code))));
}
