// The embedded Chroma: the server inside the npm package "chromadb". It is native code and comes for some platforms only.
import { existsSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import type { ChildSpec } from "./child.ts";
import { freePort, LOOPBACK } from "./ports.ts";
import { type Server, startServer } from "./server.ts";

const PROBE_WITHIN_MS = 1_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
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
  await removeOrphans(dir);
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

/** The server leaves the index of a deleted collection behind, some 80 MB each; between two runs it can go. */
async function removeOrphans(dir: string): Promise<void> {
  const file = join(dir, "chroma.sqlite3");
  if (!existsSync(file)) return;
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const segments = new Set(
      database
        .prepare("select id from segments")
        .all()
        .map(({ id }) => id),
    );
    const folders = (await readdir(dir, { withFileTypes: true })).filter((entry) => entry.isDirectory());
    const orphans = folders.filter(({ name }) => UUID.test(name) && !segments.has(name));
    await Promise.all(orphans.map(({ name }) => rm(join(dir, name), { recursive: true })));
  } catch {
    // Another version's file, or one that is damaged: the server will say so better.
  } finally {
    database.close();
  }
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
