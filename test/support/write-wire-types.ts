/** `npm run client-types`: writes the types of packages/client from the OpenAPI document. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ROOT } from "./sources.ts";
import { pathOfWireFile, WIRE_FILES, wireTypes } from "./wire-types.ts";

for (const file of WIRE_FILES) await writeFile(join(ROOT, pathOfWireFile(file)), wireTypes(file));
