/** `npm run release:notes -- vX.Y.Z`: what the changelog says of the version that the tag names, for its release. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readNotes } from "./changelog.ts";

const root = process.cwd();
const read = (file: string) => readFileSync(join(root, file), "utf8");

try {
  const [tag = ""] = process.argv.slice(2);
  const { version } = JSON.parse(read("package.json"));
  if (tag !== `v${version}`) throw new Error(`The tag "${tag}" is not that of package.json's version, v${version}`);
  console.log(readNotes(read("CHANGELOG.md"), version));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
