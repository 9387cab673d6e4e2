/** Layers of one workspace: its folders and top-level files in an order in which imports run downwards only. */
import { readSources, type Source } from "../support/sources.ts";

export type Layers = {
  /** `apps/worker/src`. */
  readonly root: string;
  /** Top to bottom; a layer is a folder below the root, or a top-level file without `.ts`. */
  readonly order: readonly string[];
};

/** The layer of a file: the first part of its path below the root. */
export const layerOf = (root: string, file: string): string =>
  file
    .slice(root.length + 1)
    .split("/")[0]
    ?.replace(/\.ts$/, "") ?? "";

const productOf = (root: string): Source[] =>
  readSources().filter(({ file }) => file.startsWith(`${root}/`) && !file.endsWith(".test.ts"));

/** Layers that the order does not list, and listed ones without a file: an order that nobody keeps up holds nothing. */
export function findUnlisted({ root, order }: Layers): string[] {
  const found = new Set(productOf(root).map(({ file }) => layerOf(root, file)));
  return [...[...found].filter((layer) => !order.includes(layer)), ...order.filter((layer) => !found.has(layer))];
}

/** Imports from a lower layer into a higher one. */
export function findUpwardImports({ root, order }: Layers): string[] {
  const height = (file: string) => order.indexOf(layerOf(root, file));
  return productOf(root).flatMap(({ file, own }) =>
    own
      .filter((path) => path.startsWith(`${root}/`) && path.endsWith(".ts") && height(path) < height(file))
      .map((path) => `${file} → ${path}`),
  );
}
