/** The list of jobs, one job (`#/jobs/ID`), or the form that starts one (`#/jobs/new`). */
import { route } from "../state/route.ts";
import { ExecutePage } from "./execute-page.tsx";
import { JobList } from "./job-list.tsx";
import { JobPage } from "./job-page.tsx";

export function JobsPage() {
  const [id] = route.value.path;
  if (id === undefined) return <JobList />;
  return id === "new" ? <ExecutePage /> : <JobPage key={id} id={id} />;
}
