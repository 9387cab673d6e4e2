/**
 * The tool `http_fetch`: reads a text from the Internet. Its invariants:
 *
 * 1. It connects only to hosts of the operator's list, and of these only to public addresses. Each redirect is checked.
 * 2. The address that is checked is the address that is connected to, unless a proxy connects (guarded-agent.ts).
 * 3. A request carries nothing of the platform: no cookies, no credentials, and headers from a closed list only.
 * 4. What may not be fetched is refused with the same words after the same time, whether it exists or not.
 * 5. Time, redirects and size are limited; connection and decoder are destroyed when the call ends.
 */
import { lookup } from "node:dns/promises";
import { SECOND } from "@agent-paas/shared/time.ts";
import type { request as Dispatch, Dispatcher } from "undici";
import { z } from "zod";
import { type AllowedHosts, parseAllowedHosts } from "./http-fetch/allowed-hosts.ts";
import type { GuardedAgent, Resolve } from "./http-fetch/guarded-agent.ts";
import { ACCEPTED_ENCODINGS, readText, type TextResponse } from "./http-fetch/read-text.ts";
import { defineTool, type Tool, ToolError } from "./tool.ts";

const TIMEOUT_MS = 15 * SECOND;
const REFUSED_AFTER_MS = 3 * SECOND;
const MAX_REDIRECTS = 5;
const MAX_BODY_BYTES = 1024 * 1024;

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

const headerValue = z
  .string()
  .max(200)
  .regex(/^[\x20-\x7e]*$/);

const ArgumentsSchema = z.strictObject({
  url: z.string().max(4_000).describe("http or https, without credentials"),
  method: z.enum(["GET", "HEAD"]).default("GET"),
  headers: z.strictObject({ accept: headerValue.optional(), "accept-language": headerValue.optional() }).default({}),
});

export type HttpFetchOptions = {
  /** Resolves host names. Default: the system's resolver. */
  readonly resolve?: Resolve;
  /** When a name that may not be fetched is refused, ms; a name must be resolved until then. Default: 3 s. */
  readonly refusedAfterMs?: number;
  /** The proxy, an `http:` or `https:` URL, that connects to the hosts. Default: none. */
  readonly proxy?: string | undefined;
};

/**
 * `allowedHosts`: `example.com` (default ports), `example.com:8443`, `*.example.com` (its sub-domains), `*` (any public
 * host), or an IP address. A private address is reachable only if the list has it as an IP address, and only by that
 * address. With an empty list the tool refuses every call. Throws at an invalid entry.
 */
export function createHttpFetch(allowedHosts: readonly string[], options: HttpFetchOptions = {}): Tool {
  const allowed = parseAllowedHosts(allowedHosts);
  const { resolve = (hostname) => lookup(hostname, { all: true }), refusedAfterMs = REFUSED_AFTER_MS, proxy } = options;
  const reach =
    allowedHosts.length === 0 ? "No host is allowed at present." : `Allowed hosts: ${allowedHosts.join(", ")}.`;
  const tool = defineTool({
    name: "http_fetch",
    description:
      "Fetches a text (HTML, JSON, XML, plain) by HTTP GET or HEAD. " +
      `Follows up to ${MAX_REDIRECTS} redirects; a body over 1 MiB is cut. ${reach}`,
    parameters: ArgumentsSchema,
    idempotent: true,
    timeoutMs: TIMEOUT_MS,
    async call(args, { signal }) {
      if (allowedHosts.length === 0) {
        throw new ToolError("No host is allowed: http_fetch is off until the operator sets HTTP_FETCH_ALLOWED_HOSTS.");
      }
      // Loaded by the first call: most workers never fetch.
      const [{ createGuardedAgent, createProxiedAgent }, { request }] = await Promise.all([
        import("./http-fetch/guarded-agent.ts"),
        import("undici"),
      ]);
      const guard = { resolve, refusedAfterMs, signal };
      const agent =
        proxy === undefined ? createGuardedAgent(allowed, guard) : createProxiedAgent(proxy, allowed, guard);
      try {
        return await fetchText(args, allowed, { ...agent, signal, request });
      } finally {
        await agent.dispatcher.destroy();
      }
    },
  });
  return { ...tool, isOff: allowedHosts.length === 0 };
}

type Connection = GuardedAgent & {
  readonly signal: AbortSignal;
  readonly request: typeof Dispatch;
};

async function fetchText(
  args: z.output<typeof ArgumentsSchema>,
  allowed: AllowedHosts,
  { request, check, ...connection }: Connection,
) {
  let url = checkedUrl(args.url, allowed);
  for (let redirects = 0; ; redirects++) {
    // Not `fetch`, which decompresses by itself, through as many stacked codings as the server names.
    const response = await asToolError(url, connection.signal, async () => {
      await check(url);
      return asTextResponse(await request(url, { ...connection, method: args.method, headers: headersOf(args) }));
    });
    try {
      const location = REDIRECTS.has(response.statusCode) ? response.header("location") : null;
      if (location === null) return await describe(response, args.method, url, connection.signal);
      if (redirects === MAX_REDIRECTS)
        throw new ToolError(`More than ${MAX_REDIRECTS} redirects; the last leads to ${location}.`);
      url = checkedUrl(location, allowed, url);
    } finally {
      // Its error, if any, has been thrown already or belongs to a body that nobody reads.
      response.body.on("error", () => {}).destroy();
    }
  }
}

const headersOf = ({ headers }: z.output<typeof ArgumentsSchema>) => ({
  accept: "*/*",
  ...headers,
  "accept-encoding": ACCEPTED_ENCODINGS,
  "user-agent": "agent-paas",
});

function asTextResponse({ statusCode, headers, body }: Dispatcher.ResponseData): TextResponse {
  return {
    statusCode,
    body,
    header(name) {
      const value = headers[name];
      return value === undefined ? null : [value].flat().join(", ");
    },
  };
}

async function describe(response: TextResponse, method: "GET" | "HEAD", url: URL, signal: AbortSignal) {
  const read = () => readText(response, MAX_BODY_BYTES, signal);
  const { text, truncated } = method === "HEAD" ? { text: "", truncated: false } : await asToolError(url, signal, read);
  return {
    status: response.statusCode,
    url: url.href,
    content_type: response.header("content-type"),
    truncated,
    body: text,
  };
}

/** Checks the URL by the list. Its addresses are checked later, when the connection is made. */
function checkedUrl(text: string, allowed: AllowedHosts, base?: URL): URL {
  const url = URL.parse(text, base?.href);
  const which = base ? `${base.href} redirects to "${text}", which` : `"${text}"`;
  if (!url) throw new ToolError(`${which} is no URL.`);
  if (url.protocol !== "http:" && url.protocol !== "https:") throw new ToolError(`${which} is neither http nor https.`);
  if (url.username || url.password) throw new ToolError(`${which} has credentials in it.`);
  if (!allowed.allows(url)) throw new ToolError(`${which} is at a host or port that is not allowed: ${url.host}.`);
  return url;
}

/** Turns a network failure into a `ToolError` for the model. An aborted call throws the signal's reason instead. */
async function asToolError<T>(url: URL, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ToolError) throw error;
    const cause = error instanceof Error ? (error.cause ?? error) : error;
    if (cause instanceof ToolError) throw cause;
    const reason = cause instanceof Error ? ("code" in cause ? String(cause.code) : cause.message) : String(cause);
    throw new ToolError(`${url.host} cannot be read: ${reason}.`, { cause: error });
  }
}
