import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { apiKeysEntry, ensureApiKey } from "./api-key.ts";

async function keyFile(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "api-key-test-"));
  onTestFinished(() => rm(dir, { recursive: true }));
  return join(dir, "api-key");
}

test("a key is made once, in a file that only its owner can read", async () => {
  const file = await keyFile();
  const key = await ensureApiKey(file);
  expect(key).toMatch(/^ap_[\w-]{43}$/);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await ensureApiKey(file)).toBe(key);
});

test("a key file with other content is an error and is not changed", async () => {
  const file = await keyFile();
  await writeFile(file, "not a key");
  await expect(ensureApiKey(file)).rejects.toThrow("holds no API key");
  expect(await readFile(file, "utf8")).toBe("not a key");
});

test("an entry of API_KEYS holds the key's SHA-256 instead of the key", () => {
  expect(apiKeysEntry("local", "abc")).toBe("local:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});
