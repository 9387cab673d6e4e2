/**
 * The embedded Redis: a child process, on loopback unless it is told otherwise, with its own password and an
 * append-only file.
 *
 * A power cut can lose the writes of the last second (appendfsync everysec). A killed Redis normally returns with every
 * write that it answered; while a slow disk syncs, its answers may be up to two seconds ahead of the file.
 */
import { randomBytes } from "node:crypto";
import { connect } from "node:net";
import { makeFolder } from "@agent-paas/shared/files/folders.ts";
import type { ChildSpec } from "./child.ts";
import { freePort, LOOPBACK } from "./ports.ts";
import { type RedisBinary, redisEnv } from "./redis-binary.ts";
import { type Server, startServer } from "./server.ts";

const PING_WITHIN_MS = 1_000;

export type RedisOptions = {
  readonly binary: RedisBinary;
  /** Holds the append-only file; created when missing. Only one running server may use it. */
  readonly dir: string;
  /** The address on which it listens. Default: loopback. */
  readonly host?: string;
  /** Default: a free port, chosen once. */
  readonly port?: number;
  /** How much memory Redis may use before it refuses writes that need more; default: no limit. */
  readonly maxMemoryBytes?: number;
  readonly onLine?: (line: string) => void;
};

export type RedisPlan = {
  /** Includes the password: redis://:PASSWORD@HOST:PORT. */
  readonly url: string;
  readonly port: number;
  readonly spec: ChildSpec;
};

/** Every run of the plan has the same URL: same port, same password, same data. */
export async function planRedis(options: RedisOptions): Promise<RedisPlan> {
  const { binary, dir, host = LOOPBACK, port: wanted, maxMemoryBytes = 0, onLine } = options;
  const port = wanted ?? (await freePort());
  makeFolder(dir);
  // Every user of the machine can connect to loopback.
  const password = randomBytes(24).toString("base64url");
  const spec: ChildSpec = {
    name: "redis",
    command: binary.command,
    args: ["-"],
    env: redisEnv(binary.libraryPath),
    input: configuration({ dir, host, port, password, maxMemoryBytes }),
    ready: () => answersPing(host, port, password),
    ...(onLine && { onLine }),
  };
  return { url: `redis://:${password}@${host}:${port}`, port, spec };
}

export async function startRedis(options: RedisOptions): Promise<Server> {
  const { url, port, spec } = await planRedis(options);
  return startServer({ url, port }, spec);
}

type Configured = Required<Pick<RedisOptions, "dir" | "host" | "port" | "maxMemoryBytes">> & {
  readonly password: string;
};

function configuration({ dir, host, port, password, maxMemoryBytes }: Configured): string {
  return `
bind ${host}
port ${port}
protected-mode yes
requirepass ${password}
dir ${JSON.stringify(dir)}
appendonly yes
appendfsync everysec
save ""
maxmemory ${maxMemoryBytes}
maxmemory-policy noeviction
`;
}

/** PONG also means that the append-only file is loaded: until then Redis answers LOADING. */
function answersPing(host: string, port: number, password: string): Promise<boolean> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(port, host, () => socket.write(`AUTH ${password}\r\nPING\r\nQUIT\r\n`));
    socket.setTimeout(PING_WITHIN_MS, () => socket.destroy());
    socket.on("data", (bytes) => {
      answer += bytes.toString();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer.includes("+PONG")));
  });
}
