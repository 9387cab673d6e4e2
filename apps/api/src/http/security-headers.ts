/** Helmet's headers. They are the same for every response, so helmet is asked once. */
import { IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import type { RequestHandler } from "express";
import helmet from "helmet";

type Header = readonly [name: string, value: string | number | readonly string[]];

class HeaderRecorder extends ServerResponse {
  readonly headers: Header[] = [];

  override setHeader(...header: Header): this {
    this.headers.push(header);
    return this;
  }
}

export function securityHeaders(): RequestHandler {
  const headers = recordHeaders();
  return (_req, res, next) => {
    for (const [name, value] of headers) res.setHeader(name, value);
    next();
  };
}

function recordHeaders(): readonly Header[] {
  const request = new IncomingMessage(new Socket());
  const recorder = new HeaderRecorder(request);
  helmet()(request, recorder, (error) => {
    if (error !== undefined) throw error;
  });
  return recorder.headers;
}
