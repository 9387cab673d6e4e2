/** The setting for MCP servers: one JSON text in the format that most MCP clients call `mcpServers`. */
import { jsonFromEnv } from "@agent-paas/shared/config/read-config.ts";
import { z } from "zod";

/** The server's name is the prefix of its tools' names: `name__tool`. */
const ServerNameSchema = z.string().regex(/^[a-zA-Z0-9-]{1,24}$/, "expected letters, digits and '-', at most 24");

/** The fields of both kinds. */
const CommonFields = {
  /**
   * `worker`: the sessions of a worker share what the server keeps. `session`: each session has a process, or a session
   * of the protocol, of its own in each worker that runs its jobs; a job without a session has one until it ends.
   */
  scope: z.enum(["worker", "session"]).default("worker"),
  /** With scope `session`: how many a worker keeps at a time. Each costs what the server costs. */
  max_sessions: z.int().min(1).max(1_000).default(20),
  /** With scope `session`: after this time without a call, what the server keeps for the session is given up. */
  idle_seconds: z.int().min(1).max(86_400).default(600),
};

const StdioServerSchema = z.strictObject({
  ...CommonFields,
  type: z.literal("stdio").optional(),
  command: z.string().min(1),
  args: z.array(z.string()).default([]),
  /** Added to PATH, HOME and the like. Nothing else of the worker's environment reaches the server. */
  env: z.record(z.string(), z.string()).default({}),
  cwd: z.string().optional(),
});

const HttpServerSchema = z.strictObject({
  ...CommonFields,
  /** Which of them the server speaks is found out. */
  type: z.enum(["http", "streamable-http", "streamableHttp", "sse"]).optional(),
  url: z.url({ protocol: /^https?$/ }),
  headers: z.record(z.string(), z.string()).default({}),
});

const ServerSchema = z.union([StdioServerSchema, HttpServerSchema], {
  error: "expected {command, args?, env?, cwd?} or {url, headers?}, and scope?, max_sessions?, idle_seconds? in both",
});

export const McpServersSchema = jsonFromEnv.pipe(z.record(ServerNameSchema, ServerSchema));

export type McpServers = z.output<typeof McpServersSchema>;
export type McpServer = McpServers[string];
