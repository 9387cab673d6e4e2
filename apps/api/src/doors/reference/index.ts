/** What describes all doors: the OpenAPI document, and a page that shows it. Neither needs a key or holds a secret. */
import type { Door } from "../../http/door.ts";
import { getOpenApi } from "./routes/open-api.ts";
import { getReferenceFile, getReferencePage } from "./routes/reference-page.ts";

/** `native` gives the format of its errors. */
export function createReferenceDoor(native: Door, doors: readonly Door[]): Door {
  const door: Door = {
    ...native,
    basePath: "",
    tags: { Reference: "This description." },
    routes: () => [getOpenApi(() => [...doors, door]), getReferencePage, getReferenceFile],
  };
  return door;
}
