/**
 * Makes the folders of `npm start`, and closes to other users what former versions made readable by everybody.
 *
 * Invariant: only what `npm start` itself makes is closed. DATA_DIR and LOG_DIR may name folders that hold other things
 * (a home folder, /var/log); such a folder keeps its permissions, and so does everything in it that is not ours.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { folderProblem } from "@agent-paas/shared/files/folders.ts";
import { closeFolderToOthers, closeToOthers } from "@agent-paas/shared/files/private-files.ts";
import { type StartOptions, UsageError } from "./options.ts";

const OWN_DATA =
  /^(\.gitkeep|api-key|start\.lock(-journal)?|agent-paas\.db(-wal|-shm|\.migrate-lock)?|redis|chroma|cache)$/;
const OWN_LOG = /^(\.gitkeep|(redis|chroma|model)\.log(\.1)?|.+\.\d+\.log)$/;
/** The folders below the root of the repository that are ours whatever they hold, such as backups. */
const OWN_FOLDERS = ["data", "logs"];

type Folders = Pick<StartOptions, "dataDir" | "logDir">;

/** Throws a `UsageError` for a folder that cannot be used. Returns what other users can read all the same. */
export function preparePrivateFolders({ dataDir, logDir }: Folders, root: string): string[] {
  const ownFolders = OWN_FOLDERS.map((name) => join(root, name));
  const prepare = (setting: string, dir: string, own: RegExp): string[] => {
    const problem = folderProblem(dir);
    if (problem !== null) throw new UsageError(`${setting}: ${dir} cannot be used: ${problem}`);
    const names = readdirSync(dir);
    const ours = names.filter((name) => own.test(name));
    const stayOpen = ours.flatMap((name) => closeFolderToOthers(join(dir, name)));
    const isOurs = ours.length === names.length || ownFolders.includes(dir);
    return !isOurs || closeToOthers(dir) ? stayOpen : [...stayOpen, dir];
  };
  const data = prepare("DATA_DIR", dataDir, OWN_DATA);
  return logDir === undefined ? data : [...data, ...prepare("LOG_DIR", logDir, OWN_LOG)];
}
