import { parseAllDocuments } from "yaml";

/** The documents of a YAML text; an error of the syntax, a key that stands twice included, fails. */
export function parseYaml(text: string): unknown[] {
  return parseAllDocuments(text, { merge: true }).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS({ maxAliasCount: -1 });
  });
}
