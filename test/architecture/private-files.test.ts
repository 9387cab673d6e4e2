/** What the platform writes is its owner's alone, and a path that cannot be made is an error and never a hang. */
import { expect, test } from "vitest";
import { readSources, readText } from "../support/sources.ts";

const product = readSources().filter(
  ({ file }) => /^(apps|packages|scripts)\//.test(file) && !file.endsWith(".test.ts"),
);

test("folders are made by makeFolder alone: Node's recursive mkdir never returns where none can be made", () => {
  const making = product.filter(({ text }) => /\bmkdir(Sync)?\(/.test(text)).map(({ file }) => file);
  expect(making).toEqual(["packages/shared/src/files/folders.ts"]);
});

test.each(["apps/api/src/main.ts", "apps/worker/src/main.ts", "scripts/start.ts"])(
  "%s closes what it writes to other users before it writes",
  (file) => {
    const text = readText(file);
    const at = (call: string) => text.indexOf(`${call}(`);
    const writing = ["createProcessLogOrExit", "assertDatabasePlace", "preparePrivateFolders"].map((call) =>
      text.search(new RegExp(`\\b${call}\\((?!\\))`)),
    );
    expect(at("makeFilesPrivate")).toBeGreaterThan(-1);
    expect(writing.filter((place) => place !== -1 && place < at("makeFilesPrivate"))).toEqual([]);
  },
);
