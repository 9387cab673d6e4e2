/**
 * The keywords that compare JSON values. Ajv's own comparison asks the values for their `constructor`, `valueOf` and
 * `toString`, and so throws or errs for values that have such names.
 */
import type { Ajv2020 } from "ajv/dist/2020.js";

export function compareByOwnNames(ajv: Ajv2020): void {
  for (const keyword of ["const", "enum", "uniqueItems"]) ajv.removeKeyword(keyword);
  ajv.addKeyword({
    keyword: "const",
    validate: (expected: unknown, value: unknown) => areEqual(expected, value),
    error: { message: "must be equal to constant" },
  });
  ajv.addKeyword({
    keyword: "enum",
    schemaType: "array",
    validate: (allowed: readonly unknown[], value: unknown) => allowed.some((one) => areEqual(one, value)),
    error: { message: "must be equal to one of the allowed values" },
  });
  ajv.addKeyword({
    keyword: "uniqueItems",
    schemaType: "boolean",
    type: "array",
    validate: (isWanted: boolean, items: readonly unknown[]) => !isWanted || areUnique(items),
    error: { message: "must NOT have duplicate items" },
  });
}

function areUnique(items: readonly unknown[]): boolean {
  const isSimple = (item: unknown) => typeof item !== "object" || item === null;
  const simple = items.filter(isSimple);
  if (new Set(simple).size < simple.length) return false;
  const others = items.filter((item) => !isSimple(item));
  return others.every((item, at) => !others.slice(0, at).some((earlier) => areEqual(item, earlier)));
}

function areEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const names = Object.keys(one);
  if (names.length !== Object.keys(other).length) return false;
  const [left, right] = [new Map(Object.entries(one)), new Map(Object.entries(other))];
  return names.every((name) => right.has(name) && areEqual(left.get(name), right.get(name)));
}
