/** What all paths of the native wire begin with. */
export const BASE_PATH = "/api/v1";
