/** The OpenAPI document: it describes the routes that there are, and a linter finds nothing to say against it. */
import { createConfig, lintFromString } from "@redocly/openapi-core";
import { describe, expect, test } from "vitest";
import { createRoutes, DOORS } from "../../apps/api/src/app.ts";
import { describeApi, documentedPath, type OpenApi } from "../../apps/api/src/doors/reference/describe-api.ts";
import type { Services } from "../../apps/api/src/services.ts";
import { createAnswerChecks } from "../support/answer-checks.ts";

const document = describeApi(DOORS);

const lint = async (api: OpenApi) => {
  const rules = { "no-invalid-schema-examples": "error", "no-invalid-media-type-examples": "error" } as const;
  const config = await createConfig({ extends: ["recommended-strict"], rules });
  const problems = await lintFromString({ source: JSON.stringify(api), absoluteRef: "/openapi.json", config });
  return problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`);
};

test("the document has every route of every door, and no other", () => {
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  const routes = createRoutes({} as Services).map(({ route, path }) => `${route.method} ${documentedPath(path)}`);
  expect(described.sort()).toEqual(routes.sort());
});

/** The document has thousands of schemas. */
const LINTED_WITHIN_MS = 60_000;

test(
  "a linter accepts the document",
  async () => {
    expect(await lint(document)).toEqual([]);
  },
  LINTED_WITHIN_MS,
);

test(
  "the linter would object to an operation of the same name, and to an example that its schema refuses",
  async () => {
    const operation = { operationId: "twice", responses: { 200: { description: "Fine." } } };
    const wrong = { schema: { type: "integer" }, example: "text" };
    const content = { "application/json": wrong };
    const post = { ...operation, requestBody: { content } };
    const found = await lint({ ...document, paths: { "/a": { get: operation, post } } });
    for (const rule of ["operation-operationId-unique", "no-invalid-media-type-examples"]) {
      expect(
        found.filter((problem) => problem.startsWith(rule)),
        rule,
      ).not.toEqual([]);
    }
  },
  LINTED_WITHIN_MS,
);

test("every path parameter of a route is described, and every tag is one of its door", () => {
  for (const { door, route, path } of createRoutes({} as Services)) {
    const { params = {}, tag } = route.operation;
    const named = path.split("/").filter((part) => part.startsWith(":"));
    expect(
      Object.keys(params).map((name) => `:${name}`),
      path,
    ).toEqual(named);
    expect(Object.keys(door.tags), path).toContain(tag);
  }
});

test("every request with a body has an example", () => {
  const withBody = createRoutes({} as Services).filter(({ route }) => route.operation.body !== undefined);
  expect(withBody.length).toBeGreaterThan(3);
  for (const { route, path } of withBody) {
    const [schema] = Object.values(route.operation.body ?? {});
    expect(schema?.meta()?.examples, path).toBeDefined();
  }
});

describe("the checks of answers", () => {
  const { answer, event } = createAnswerChecks(JSON.stringify(document));
  const json = new Headers({ "Content-Type": "application/json; charset=utf-8" });
  const error = (code: string) => ({
    error: { message: "", type: "not_found_error", code, param: null, request_id: "r" },
  });
  const job = "/api/v1/jobs/019a8d3e-5301-7b92-9c0d-4e5f6a7b8c9d";

  test("what the document describes passes", () => {
    answer("GET", "/api/v1/livez?now", { status: 200, headers: json, body: { status: "ok" } });
    answer("GET", job, { status: 404, headers: json, body: error("job_not_found") });
    answer("GET", "/nowhere", { status: 404, headers: json, body: error("route_not_found") });
    answer("GET", `${job}/events`, { status: 204, headers: new Headers(), body: "" });
    event("GET", `${job}/events`, { id: 1, event: "message", data: { content: "a", type: "text" } });
  });

  test.each<[string, () => void]>([
    ["a status", () => answer("GET", job, { status: 409, headers: json, body: error("session_busy") })],
    ["a code", () => answer("GET", job, { status: 404, headers: json, body: error("agent_not_found") })],
    ["a field", () => answer("GET", "/api/v1/livez", { status: 200, headers: json, body: { status: "ok", more: 1 } })],
    ["a missing field", () => answer("GET", "/api/v1/livez", { status: 200, headers: json, body: {} })],
    ["a media type", () => answer("GET", "/docs", { status: 200, headers: json, body: "" })],
    ["a route", () => answer("GET", "/nowhere", { status: 200, headers: json, body: {} })],
    [
      "a header",
      () =>
        answer("GET", "/api/v1/livez", {
          status: 200,
          headers: new Headers({ "Content-Type": "application/json", "X-Job-Id": "1" }),
          body: { status: "ok" },
        }),
    ],
    ["an event", () => event("GET", `${job}/events`, { id: 1, event: "ping", data: {} })],
    ["a field of an event", () => event("GET", `${job}/events`, { id: 1, event: "message", data: { content: 1 } })],
  ])("%s that it does not describe is refused", (_what, check) => {
    expect(check).toThrow(/OpenAPI document|no operation/);
  });
});
