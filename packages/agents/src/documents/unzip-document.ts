/**
 * What of a zipped document its text is made of, as an archive without compression. The sizes in an archive are what
 * its author claims: the sum of the claims is bounded, and no more is unpacked of an entry than it claims, so entries
 * that lie, overlap or hold further archives take no more than that.
 */
import { PlatformError } from "@agent-paas/shared/errors/platform-error.ts";
import { unzipSync, zipSync } from "fflate";

const MAX_UNPACKED_BYTES = 64 * 1_024 * 1_024;
const MAX_ENTRIES = 10_000;

const isNeeded = (name: string): boolean => (name.endsWith(".xml") || name.endsWith(".rels")) && !isAside(name);
/** Themes, settings and data of other programs, which may be large. */
const isAside = (name: string): boolean => ["customXml/", "word/theme/", "docProps/"].some((at) => name.startsWith(at));

/** Throws `payload_too_large` for a document that claims to be too large when unpacked. */
export function unzipDocument(bytes: Uint8Array): Buffer {
  let unpacked = 0;
  let entries = 0;
  const files = unzipSync(bytes, {
    filter: ({ name, originalSize }) => {
      entries += 1;
      const isWanted = isNeeded(name);
      if (isWanted) unpacked += originalSize;
      if (unpacked > MAX_UNPACKED_BYTES || entries > MAX_ENTRIES) {
        throw new PlatformError("payload_too_large", {
          message: `The document is larger than ${MAX_UNPACKED_BYTES} bytes when unpacked.`,
        });
      }
      return isWanted;
    },
  });
  return Buffer.from(zipSync(files, { level: 0 }));
}
