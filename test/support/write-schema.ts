/** `npm run schema`: writes the schema after all migrations to apps/worker/src/storage/schema.sql. */
import { writeFile } from "node:fs/promises";
import { dumpSchema, SCHEMA_FILE } from "./dump-schema.ts";

await writeFile(SCHEMA_FILE, await dumpSchema());
