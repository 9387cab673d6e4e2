/**
 * GET / and GET /assets/{file}: the page that `npm run build` made, and its files. They load nothing from elsewhere,
 * and run no inline script. 404 where the page was not built.
 */
import { join } from "node:path";
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { DAY } from "@agent-paas/shared/time.ts";
import type { Request, Response } from "express";
import { z } from "zod";
import type { Route } from "../../../http/door.ts";

const DIST = join(import.meta.dirname, "../../../../../playground/dist");

/** Agents' texts make no element that loads or runs anything; should one slip through, the browser refuses it. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join("; ");

const TYPES = { css: "text/css; charset=utf-8", js: "text/javascript; charset=utf-8", svg: "image/svg+xml" } as const;

type Extension = keyof typeof TYPES;

const FILE_NAME = z.string().regex(/^[\w-]{1,80}\.(?:css|js|svg)$/);

export const getPlayground: Route = {
  method: "get",
  path: "/",
  access: "public",
  operation: {
    id: "getPlayground",
    tag: "Playground",
    summary: "The playground",
    responses: { 200: { description: "The page.", content: { "text/html": z.string() } } },
    errors: ["route_not_found"],
  },
  async handle(req, res) {
    res.setHeader("Content-Security-Policy", POLICY);
    res.setHeader("Cache-Control", "no-cache");
    await send(req, res, "index.html", "text/html; charset=utf-8");
  },
};

export const getPlaygroundFile: Route = {
  method: "get",
  path: "/assets/:file",
  access: "public",
  operation: {
    id: "getPlaygroundFile",
    tag: "Playground",
    summary: "A file of the playground",
    params: { file: FILE_NAME },
    responses: {
      200: {
        description: "The file.",
        content: { "text/css": z.string(), "text/javascript": z.string(), "image/svg+xml": z.string() },
      },
    },
    errors: ["route_not_found"],
  },
  async handle(req, res) {
    const name = FILE_NAME.safeParse(req.params.file).data;
    if (name === undefined) throw new PlatformError("route_not_found");
    // Other content has another name, but for the icon.
    res.setHeader(
      "Cache-Control",
      name === "icon.svg" ? "no-cache" : `public, max-age=${(30 * DAY) / 1_000}, immutable`,
    );
    await send(req, res, name, TYPES[name.slice(name.lastIndexOf(".") + 1) as Extension]);
  },
};

/** Every file has a gzipped twin. */
function send(req: Request, res: Response, name: string, type: string): Promise<void> {
  const isGzipped = req.acceptsEncodings("gzip") === "gzip";
  res.setHeader("Content-Type", type);
  res.vary("Accept-Encoding");
  if (isGzipped) res.setHeader("Content-Encoding", "gzip");
  return new Promise((resolve, reject) => {
    res.sendFile(isGzipped ? `${name}.gz` : name, { root: DIST, cacheControl: false }, (error?: Error) => {
      if (error === undefined || res.headersSent) return resolve();
      res.removeHeader("Content-Encoding");
      res.removeHeader("Cache-Control");
      reject(new PlatformError("route_not_found"));
    });
  });
}
