/** The version of the platform. Only the root package.json states it; the workspaces have no versions. */
import manifest from "../../../package.json" with { type: "json" };

export const VERSION: string = manifest.version;
