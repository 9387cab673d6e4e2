/** Turns the pages of a list of jobs. */
import { ChevronLeft, ChevronRight } from "lucide";
import { Button } from "../ui/button.tsx";
import { texts } from "./texts.ts";
import type { JobPages } from "./use-job-pages.ts";

export function Pager({ pages: { toNewer, toOlder } }: { readonly pages: JobPages }) {
  if (toNewer === undefined && toOlder === undefined) return null;
  return (
    <nav class="actions" aria-label={texts.pages}>
      <Button icon={ChevronLeft} disabled={toNewer === undefined} onClick={toNewer}>
        {texts.newer}
      </Button>
      <Button icon={ChevronRight} disabled={toOlder === undefined} onClick={toOlder}>
        {texts.older}
      </Button>
    </nav>
  );
}
