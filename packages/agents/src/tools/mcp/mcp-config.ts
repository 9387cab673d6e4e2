/** The setting for MCP servers: one JSON text in the format that most MCP clients call `mcpServers`. */
import { z } from "zod";

/** The server's name is the prefix of its tools' names: `name__tool`. */
const ServerNameSchema = z.string().regex(/^[a-zA-Z0-9-]{1,24}$/, "expected letters, digits and '-', at most 24");

const StdioServerSchema = z.strictObject({
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  /** Added to PATH, HOME and the like. Nothing else of the worker's environment reaches the server. */
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
