/** The regular expressions of the playground, which run in the browser of the person who reads their text. */
import type { Listed } from "./client-expressions.ts";

export const PLAYGROUND_EXPRESSIONS: readonly Listed[] = [
  {
    file: "apps/playground/src/documents/new-collection-dialog.tsx",
    bound: "anchored, a class with a bound count",
    expressions: ["/^[a-zA-Z0-9][a-zA-Z0-9_-]{0,62}$/"],
  },
  {
    file: "apps/playground/src/documents/query-panel.tsx",
    bound: "a passage; one class of characters",
    expressions: ["/\\n{2,}/g"],
  },
  {
    file: "apps/playground/src/forms/draft.ts",
    bound: "without a repetition",
    expressions: ["/^[-+]?[\\d.]/", "/[.e]/i", "/[\\p{Cf}\\p{Zl}\\p{Zp}\\x7f-\\x9f]/gu"],
  },
  {
    file: "apps/playground/src/markdown/blocks.ts",
    bound: "a window of 64 KiB; no repetition",
    expressions: ["/[\\ud800-\\udbff]$/", "/\\r\\n?|\\n/g"],
  },
  {
    file: "apps/playground/src/markdown/elements.tsx",
    bound: "a block of an answer; anchored, or one class of characters",
    expressions: [
      "/^data:image\\/(?:png|jpeg|gif|webp);base64,/",
      "/text-align:(\\w+)/",
      "/\\n$/",
      "/\\s/",
      "/(\\[\\d{1,3}\\])/",
    ],
  },
  {
    file: "apps/playground/src/markdown/formulas.ts",
    bound: "two characters",
    expressions: ["/\\s/", "/\\d/"],
  },
  {
    file: "apps/playground/src/state/connection.ts",
    bound: "one class of characters, anchored",
    expressions: ["/^[\\x21-\\x7e]+$/"],
  },
  {
    file: "apps/playground/src/state/route.ts",
    bound: "anchored, without a repetition",
    expressions: ["/^#\\/?/"],
  },
  {
    file: "apps/playground/src/snippets/literals.ts",
    bound: "classes of characters, anchored or one by one",
    expressions: ["/[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]/gu", "/^[A-Za-z_$][\\w$]*$/", "/^[\\w@%+=:,./-]+$/"],
  },
];
