/** What surrounds the processes of a run, if its scenario asks for it: a small disk, a folder for logs, links. */
import { join } from "node:path";
import type { DatabaseKind } from "../support/database-kind.ts";
import { createFillableFolder, type FillableFolder } from "../support/fillable-folder.ts";
import { canMount, createSmallDisk, type SmallDisk } from "../support/small-disk.ts";
import { startTcpProxy, type TcpProxy } from "../support/tcp-proxy.ts";

/** A server's files are some 60 MB before it has written a row. */
const DATABASE_DISK_MB = { sqlite: 64, postgres: 192 };
const LOG_DISK_MB = 64;

export type Wanted = {
  /** The database lies on a small disk of its own, where the run may mount one. */
  readonly smallDisk?: boolean;
  /** The logs lie on one. */
  readonly smallLogs?: boolean;
  /** Workers and APIs reach Redis over proxies. */
  readonly links?: boolean;
};

export type Links = { readonly workers: TcpProxy; readonly apis: TcpProxy };

export type Surroundings = {
  readonly databaseDir: string;
  readonly logDir: string;
  readonly disk: SmallDisk | null;
  readonly logs: FillableFolder | null;
  readonly links: Links | null;
  remove(): Promise<void>;
};

export async function createSurroundings(
  dir: string,
  redisUrl: string,
  database: DatabaseKind,
  wanted: Wanted,
): Promise<Surroundings> {
  const disk = wanted.smallDisk === true && canMount ? await createSmallDisk(DATABASE_DISK_MB[database]) : null;
  const logs = wanted.smallLogs === true ? createFillableFolder(LOG_DISK_MB) : null;
  const links =
    wanted.links === true ? { workers: await startTcpProxy(redisUrl), apis: await startTcpProxy(redisUrl) } : null;
  return {
    databaseDir: disk?.dir ?? dir,
    logDir: logs?.path ?? join(dir, "logs"),
    ...{ disk, logs, links },
    async remove() {
      await Promise.all([links?.workers.close(), links?.apis.close()]);
      logs?.remove();
      await disk?.remove();
    },
  };
}
