/** The API key of a local installation: made once, readable by its owner alone, shown on the terminal and in no log. */
import { createHash, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";

const SHAPE = /^ap_[\w-]{43}$/;

/** Reads the key in `file`; creates the file with a new key when there is none. */
export async function ensureApiKey(file: string): Promise<string> {
  const fresh = `ap_${randomBytes(32).toString("base64url")}`;
  try {
    await writeFile(file, `${fresh}\n`, { flag: "wx", mode: 0o600 });
    return fresh;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
  const kept = (await readFile(file, "utf8")).trim();
  if (!SHAPE.test(kept)) throw new Error(`${file} holds no API key; delete it, and the next start makes a new one`);
  return kept;
}

/** An entry of API_KEYS: the API receives the owner's name and the key's SHA-256, never the key itself. */
export function apiKeysEntry(name: string, key: string): string {
  return `${name}:${createHash("sha256").update(key).digest("hex")}`;
}
