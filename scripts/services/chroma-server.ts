/** The embedded Chroma: the server in the npm package "chromadb", native code that exists for some platforms only. */
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { makeFolder } from "@agent-paas/shared/files/folders.ts";
import type { ChildSpec } from "./child.ts";
import { freePort, LOOPBACK } from "./ports.ts";
import { type Server, startServer } from "./server.ts";

const PROBE_WITHIN_MS = 1_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** Matches the logo and the advertisement that every start prints. */
const BANNER = /^[\s(#]*$|trychroma\.com|Chroma Cloud|chroma copy/;

export type ChromaOptions = {
  /** Holds the collections; created when missing. Only one running server may use it. */
  readonly dir: string;
  /** Default: a free port, chosen once. */
  readonly port?: number;
  readonly onLine?: (line: string) => void;
};

export type ChromaPlan = {
  readonly url: string;
  readonly port: number;
  readonly spec: ChildSpec;
};

/** Undefined if the package has no server for this platform. */
export async function planChroma({ dir, port: wanted, onLine }: ChromaOptions): Promise<ChromaPlan | undefined> {
  const cli = chromaCli();
  if (cli === undefined) return undefined;
  const port = wanted ?? (await freePort());
  const url = `http://${LOOPBACK}:${port}`;
  makeFolder(dir);
  await removeDeletedCollections(dir);
  const spec: ChildSpec = {
    name: "chroma",
    command: process.execPath,
    args: [cli, "run", "--path", dir, "--host", LOOPBACK, "--port", String(port)],
    // Empty, because Chroma reads CHROMA_… variables as its configuration.
    env: {},
    ready: () => answersHeartbeat(url),
    ...(onLine && { onLine: (line: string) => BANNER.test(line) || onLine(line) }),
  };
  return { url, port, spec };
}

/** The server keeps the index of a deleted collection, about 80 MB each; it can be removed while no server runs. */
async function removeDeletedCollections(dir: string): Promise<void> {
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
    const deleted = folders.filter(({ name }) => UUID.test(name) && !segments.has(name));
    await Promise.all(deleted.map(({ name }) => rm(join(dir, name), { recursive: true })));
  } catch {
    // The file is damaged or of another version; the server reports that with a better message.
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
  // The ES module is used because the package's CommonJS command does not run.
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
