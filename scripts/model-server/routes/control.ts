/** /control: queues answers and lists calls. For tests; not part of the OpenAI API and never protected by a key. */
import { ApiError, parseOrRefuse } from "../api-error.ts";
import type { CallLog, CallStats } from "../call-log.ts";
import { type Handler, readJson, sendJson } from "../http.ts";
import type { ScriptBook } from "../script-book.ts";
import { scriptSchema } from "../step.ts";

export type Stats = CallStats & {
  /** Scripted steps that no request has taken yet; a test that ends with any did not run as intended. */
  readonly steps_waiting: number;
};

export function scriptAdd(book: ScriptBook): Handler {
  return async ({ request, response }) => {
    book.add(parseOrRefuse(scriptSchema, await readJson(request)));
    sendJson(response, 200, { steps_waiting: book.stepsWaiting });
  };
}

export function scriptClear(book: ScriptBook): Handler {
  return ({ response }) => {
    book.clear();
    response.writeHead(204).end();
  };
}

export function callsList(log: CallLog): Handler {
  return ({ response, url }) => sendJson(response, 200, { calls: log.list(url.searchParams.get("contains") ?? "") });
}

export function callsDetails(log: CallLog): Handler {
  return ({ response, parameter }) => {
    const details = log.details(Number(parameter));
    if (!details) throw new ApiError(404, `There is no call ${parameter} in the log.`);
    sendJson(response, 200, details);
  };
}

export function callsClear(log: CallLog): Handler {
  return ({ response }) => {
    log.clear();
    response.writeHead(204).end();
  };
}

export function stats(log: CallLog, book: ScriptBook): Handler {
  return ({ response }) => {
    const counted: Stats = { ...log.stats(), steps_waiting: book.stepsWaiting };
    sendJson(response, 200, counted);
  };
}
