/** AG-UI, the protocol of agent front ends: a thread is a session, a run is a job or goes on with one. */
import type { Door } from "../../http/door.ts";
import { postRun } from "./routes/run.ts";

/** `native` gives the base path and the format of errors: the protocol has one for what fails within a run only. */
export const createAgUiDoor = (native: Door): Door => ({
  ...native,
  tags: { "AG-UI": "Runs of AG-UI 1.0, for `HttpAgent({ url, headers })`." },
  basePath: `${native.basePath}/ag-ui`,
  routes: (services) => [postRun(services)],
});
