/** Which page is shown. It stands in the fragment: `#/jobs/ID`, so that reload, back and bookmarks work. */
import { computed, signal } from "@preact/signals";

export const PAGES = ["chat", "inbox", "jobs", "documents", "overview"] as const;

export type Page = (typeof PAGES)[number];

export type Route = {
  readonly page: Page;
  /** What stands behind the page: a session, a job, a collection. */
  readonly path: readonly string[];
};

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

export const route = computed<Route>(() => parse(hash.value));

export function parse(fragment: string): Route {
  const [page = "", ...path] = fragment.replace(/^#\/?/, "").split("/").filter(Boolean).map(decode);
  return { page: PAGES.find((one) => one === page) ?? "chat", path };
}

export const linkTo = (page: Page, ...path: readonly string[]): string =>
  `#/${[page, ...path].map(encodeURIComponent).join("/")}`;

export function goTo(page: Page, ...path: readonly string[]): void {
  location.hash = linkTo(page, ...path);
}

/** Goes there without a step in the browser's history. */
export function replaceRoute(page: Page, ...path: readonly string[]): void {
  history.replaceState(null, "", linkTo(page, ...path));
  hash.value = location.hash;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
