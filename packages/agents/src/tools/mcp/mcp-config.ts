/** Which MCP servers there are: the form that most MCP clients know as `mcpServers`, as one JSON text. */
import { z } from "zod";

/** Begins the names of the server's tools: `name__tool`. */
const ServerNameSchema = z.string().regex(/^[a-zA-Z0-9-]{1,24}$/, "expected letters, digits and '-', at most 24");

const StdioServerSchema = z.strictObject({
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  /** Beside PATH, HOME and the like; nothing else of the worker's environment reaches the server. */
  env: z.record(z.string(), z.string()).default({}),
  cwd: z.string().optional(),
});

const HttpServerSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  headers: z.record(z.string(), z.string()).default({}),
});

const ServerSchema = z.union([StdioServerSchema, HttpServerSchema], {
  error: "expected {command, args?, env?, cwd?} or {url, headers?}",
});

export const McpServersSchema = z
  .string()
  .transform((text, context) => {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      context.addIssue("expected JSON");
      return z.NEVER;
    }
  })
  .pipe(z.record(ServerNameSchema, ServerSchema));

export type McpServers = z.output<typeof McpServersSchema>;
export type McpServer = McpServers[string];
