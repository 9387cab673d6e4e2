/** GET /docs: a page that shows the OpenAPI document. It loads nothing from elsewhere, and runs no inline script. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { HOUR } from "@agent-paas/shared/time.ts";
import type { Response } from "express";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";

const SWAGGER_UI = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
const PAGE = join(import.meta.dirname, "../page");

/** Where each file of the page lies. */
const FILES: Readonly<Record<string, string>> = {
  "swagger-ui.css": SWAGGER_UI,
  "swagger-ui-bundle.js": SWAGGER_UI,
  "start.js": PAGE,
};

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function sendFile(res: Response, root: string, name: string): void {
  res.setHeader("Content-Security-Policy", POLICY);
  res.sendFile(name, { root, maxAge: HOUR });
}

export const getReferencePage: Route = {
  method: "get",
  path: "/docs",
  access: "public",
  operation: {
    id: "getReferencePage",
    tag: "Reference",
    summary: "A page that shows this document",
    responses: { 200: { description: "The page.", content: { "text/html": z.string() } } },
  },
  handle: (_req, res) => sendFile(res, PAGE, "index.html"),
};

export const getReferenceFile: Route = {
  method: "get",
  path: "/docs/:file",
  access: "public",
  operation: {
    id: "getReferenceFile",
    tag: "Reference",
    summary: "A file of that page",
    params: { file: z.enum(Object.keys(FILES)) },
    responses: {
      200: { description: "The file.", content: { "text/css": z.string(), "text/javascript": z.string() } },
    },
    errors: ["route_not_found"],
  },
  handle(req, res) {
    const name = String(req.params.file);
    const root = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
    if (root === undefined) throw new PlatformError("route_not_found");
    sendFile(res, root, name);
  },
};
