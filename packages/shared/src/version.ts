/** The platform's version. The root package.json is the one place that states it; no workspace has one of its own. */
import manifest from "../../../package.json" with { type: "json" };

export const VERSION: string = manifest.version;
