/** GET /openapi.json: built at the first request, because most processes are never asked for it. */
import { z } from "zod";
import type { Door, Route } from "../../../http/door.ts";
import { jsonResponse } from "../../../http/operation.ts";
import { describeApi } from "../describe-api.ts";

export function getOpenApi(doors: () => readonly Door[]): Route {
  let document: Buffer | undefined;
  return {
    method: "get",
    path: "/openapi.json",
    access: "public",
    operation: {
      id: "getOpenApi",
      tag: "Reference",
      summary: "This document",
      responses: { 200: jsonResponse("An OpenAPI 3.1 document.", z.looseObject({ openapi: z.string() })) },
    },
    handle(_req, res) {
      document ??= Buffer.from(JSON.stringify(describeApi(doors())));
      res.type("json").send(document);
    },
  };
}
