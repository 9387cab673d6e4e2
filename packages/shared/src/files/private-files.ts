/**
 * Conversations are private: other users of the machine must not read what the platform writes.
 *
 * 1. A process of the platform makes files of mode 0600 and folders of mode 0700, whatever the shell's umask is; its
 *    children inherit that.
 * 2. What a former version made readable by everybody is closed at start. Permissions that leave everybody out are an
 *    operator's choice (a group that may read, say) and stay.
 */
import { chmodSync, lstatSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export const PRIVATE_FILE_MODE = 0o600;
export const PRIVATE_FOLDER_MODE = 0o700;

const GROUP_AND_OTHERS = 0o077;
const OTHERS = 0o007;

/** For entry files, before the first file is made. */
export function makeFilesPrivate(): void {
  process.umask(GROUP_AND_OTHERS);
}

export function isOpenToOthers(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found !== undefined && (found.mode & OTHERS) !== 0;
}

/**
 * Closes a file or folder to group and others if others have any access to it. Returns false if they have and keep it,
 * because the file belongs to another user or its file system knows no permissions. A missing file is closed.
 */
export function closeToOthers(path: string): boolean {
  try {
    if (!isOpenToOthers(path)) return true;
    chmodSync(path, statSync(path).mode & 0o777 & ~GROUP_AND_OTHERS);
    return !isOpenToOthers(path);
  } catch (error) {
    // Removed meanwhile.
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}

/** Closes a folder and all that is in it; links in it are not followed. Returns the paths that stay open. */
export function closeFolderToOthers(path: string): string[] {
  const stayOpen: string[] = [];
  const pending = [path];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (!closeToOthers(next)) stayOpen.push(next);
    pending.push(...entriesOf(next));
  }
  return stayOpen;
}

function entriesOf(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [];
    return readdirSync(path)
      .map((name) => join(path, name))
      .filter((entry) => !lstatSync(entry).isSymbolicLink());
  } catch {
    // Removed meanwhile, or not readable for this user, who then cannot change what is in it either.
    return [];
  }
}
