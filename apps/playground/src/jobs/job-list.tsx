/** All jobs of the key, newest first, as they are now. */
import type { Job } from "@agent-paas/client";
import { ListChecks, Plus } from "lucide";
import { platformNow } from "../state/clock.ts";
import { goTo, linkTo } from "../state/route.ts";
import { formatAge, formatDuration, formatNumber, formatTime } from "../text/format.ts";
import { Button } from "../ui/button.tsx";
import { Await, Empty } from "../ui/states.tsx";
import { StatusBadge } from "../ui/status-badge.tsx";
import { TableHead } from "../ui/table-head.tsx";
import { Filters, query } from "./filters.tsx";
import { Pager } from "./pager.tsx";
import { texts } from "./texts.ts";
import { useJobPages } from "./use-job-pages.ts";

const EVERY_MS = 2_000;
const JOBS_PER_PAGE = 50;

export function JobList() {
  const pages = useJobPages({ ...query.value, limit: JOBS_PER_PAGE }, EVERY_MS);
  return (
    <div class="page jobs">
      <header>
        <h1>{texts.title}</h1>
        <Button look="primary" icon={Plus} onClick={() => goTo("jobs", "new")}>
          {texts.newJob}
        </Button>
      </header>
      <Filters />
      <Await of={pages}>
        {({ jobs }) =>
          jobs.length === 0 ? (
            <Empty icon={ListChecks}>
              {Object.values(query.value).some(Boolean) ? texts.emptyFilter : texts.empty}
            </Empty>
          ) : (
            <JobTable jobs={jobs} />
          )
        }
      </Await>
      <Pager pages={pages} />
    </div>
  );
}

const JobTable = ({ jobs }: { readonly jobs: readonly Job[] }) => (
  <div class="card table-frame">
    <table class="list rows">
      <TableHead
        columns={[
          texts.status,
          texts.agent,
          texts.kind,
          texts.created,
          { name: texts.took, class: "amount" },
          { name: texts.tokens, class: "amount" },
        ]}
      />
      <tbody>
        {jobs.map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </tbody>
    </table>
  </div>
);

const JobRow = ({ job }: { readonly job: Job }) => (
  <tr>
    <td class="state">
      <StatusBadge status={job.status} />
      {job.queue_position !== null && <div class="muted small number">{texts.position(job.queue_position)}</div>}
    </td>
    <td class="agent">
      <a href={linkTo("jobs", job.id)} aria-label={`${job.agent_type} ${job.id}`}>
        {job.agent_type}
      </a>
      {job.error !== null && <div class="problem small">{job.error.code}</div>}
    </td>
    <td class="muted kind">{texts[job.kind]}</td>
    <td class="muted">
      <time dateTime={job.created_at} title={formatTime(job.created_at)}>
        {formatAge(job.created_at)}
      </time>
    </td>
    <td class="number amount">{formatDuration(lifetimeOf(job))}</td>
    <td class="number amount tokens">{job.usage === null ? "" : formatNumber(job.usage.total_tokens)}</td>
  </tr>
);

/** From its creation to its end, or until now, ms. */
const lifetimeOf = ({ created_at, finished_at }: Job): number =>
  (finished_at === null ? platformNow() : Date.parse(finished_at)) - Date.parse(created_at);
