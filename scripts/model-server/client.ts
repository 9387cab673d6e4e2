/** For tests: the control routes of a running model server as functions, and `formatDirectives`. */
import type { Call, CallDetails } from "./call-log.ts";
import type { Stats } from "./routes/control.ts";
import type { ScriptInput } from "./step.ts";

export { formatDirectives } from "./directives.ts";
export type { Call, CallDetails, ScriptInput, Stats };

export type ModelControl = {
  /** Queues answers. They are used in order: scripts before directives, older scripts before newer ones. */
  script(script: ScriptInput): Promise<void>;
  /** Drops queued answers, the counts of `times=`, and the call log. */
  clear(): Promise<void>;
  /** Lists calls, oldest first; with `contains` only those whose last user message contains the text. */
  calls(filter?: { contains?: string }): Promise<Call[]>;
  call(id: number): Promise<CallDetails>;
  stats(): Promise<Stats>;
};

/** `origin` is the one of `startModelServer`, without `/v1`. */
export function modelControl(origin: string): ModelControl {
  async function send(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(`${origin}/control${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} /control${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  return {
    async script(script) {
      await send("POST", "/script", script);
    },
    async clear() {
      await send("DELETE", "/script");
      await send("DELETE", "/calls");
    },
    async calls({ contains = "" } = {}) {
      const response = await send("GET", `/calls?contains=${encodeURIComponent(contains)}`);
      return ((await response.json()) as { calls: Call[] }).calls;
    },
    async call(id) {
      return (await send("GET", `/calls/${id}`)).json() as Promise<CallDetails>;
    },
    async stats() {
      return (await send("GET", "/stats")).json() as Promise<Stats>;
    },
  };
}
