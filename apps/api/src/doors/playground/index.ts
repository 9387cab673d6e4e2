/** The playground: a page that uses the platform's own API. It needs no key; what it shows does. */
import type { Door } from "../../http/door.ts";
import { getPlayground, getPlaygroundFile } from "./routes/page.ts";

/** `native` gives the format of its errors. */
export const createPlaygroundDoor = (native: Door): Door => ({
  ...native,
  basePath: "",
  tags: { Playground: "A page to chat, decide, watch jobs and keep documents." },
  routes: () => [getPlayground, getPlaygroundFile],
});
