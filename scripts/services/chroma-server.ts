// The embedded Chroma: the server inside the npm package "chromadb". It is native code and comes for some platforms only.
import { mkdir } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ChildSpec } from "./child.ts";
import { freePort, LOOPBACK } from "./ports.ts";
import { type Server, startServer } from "./server.ts";

const PROBE_WITHIN_MS = 1_000;
/** The drawing and the advertisement that every start prints. */
const BANNER = /^[\s(#]*$|trychroma\.com|Chroma Cloud|chroma copy/;

export interface ChromaOptions {
  /** Holds the collections; made when missing. Private to one running server. */
  readonly dir: string;
  /** Default: a free one, chosen once. */
  readonly port?: number;
  readonly onLine?: (line: string) => void;
}

export interface ChromaPlan {
  readonly url: string;
  readonly port: number;
  readonly spec: ChildSpec;
}

/** Undefined where the package has no server for this platform. */
export async function planChroma({ dir, port: wanted, onLine }: ChromaOptions): Promise<ChromaPlan | undefined> {
  const cli = chromaCli();
  if (cli === undefined) return undefined;
  const port = wanted ?? (await freePort());
  const url = `http://${LOOPBACK}:${port}`;
  await mkdir(dir, { recursive: true });
  const spec: ChildSpec = {
    name: "chroma",
    command: process.execPath,
    args: [cli, "run", "--path", dir, "--host", LOOPBACK, "--port", String(port)],
    // Nothing of ours: Chroma reads CHROMA_… variables as its configuration.
    env: {},
    ready: () => answersHeartbeat(url),
    ...(onLine && { onLine: (line: string) => BANNER.test(line) || onLine(line) }),
  };
  return { url, port, spec };
}

export async function startChroma(options: ChromaOptions): Promise<Server> {
  const plan = await planChroma(options);
  if (!plan) throw new Error(`The package chromadb has no server for ${process.platform}-${process.arch}`);
  return startServer(plan, plan.spec);
}

function chromaCli(): string | undefined {
  // As an ES module: the package's CommonJS form of its command does not run.
  const cli = join(dirname(fileURLToPath(import.meta.resolve("chromadb"))), "cli.mjs");
  const abi = { linux: "-gnu", win32: "-msvc" }[process.platform as string] ?? "";
  try {
    createRequire(cli).resolve(`chromadb-js-bindings-${process.platform}-${process.arch}${abi}`);
    return cli;
  } catch {
    return undefined;
  }
}

async function answersHeartbeat(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/api/v2/heartbeat`, { signal: AbortSignal.timeout(PROBE_WITHIN_MS) });
    await answer.body?.cancel();
    return answer.ok;
  } catch {
    return false;
  }
}
