/** One job: where it stands, what it did and when, and what came of it. */
import type { Job, JobSteps } from "@agent-paas/client";
import { ArrowLeft } from "lucide";
import { InquiryCard } from "../inbox/inquiry-card.tsx";
import { platformNow } from "../state/clock.ts";
import { client } from "../state/connection.ts";
import { linkTo } from "../state/route.ts";
import { CopyButton } from "../ui/copy-button.tsx";
import { Icon } from "../ui/icon.tsx";
import { Await } from "../ui/states.tsx";
import { StatusBadge } from "../ui/status-badge.tsx";
import { useLoad } from "../ui/use-load.ts";
import { EventLog } from "./event-log.tsx";
import { Facts } from "./facts.tsx";
import { JobActions } from "./job-actions.tsx";
import { Outcome } from "./outcome.tsx";
import { texts } from "./texts.ts";
import { hasEnded, timelineOf } from "./timeline.ts";
import { TimelineView } from "./timeline-view.tsx";

const EVERY_MS = 1_000;

export function JobPage({ id }: { readonly id: string }) {
  const loaded = useJob(id);
  return (
    <div class="page jobs">
      <a class="back" href={linkTo("jobs")}>
        <Icon of={ArrowLeft} size={14} /> {texts.back}
      </a>
      <Await of={loaded}>{({ job, steps }) => <JobView job={job} steps={steps} reload={loaded.reload} />}</Await>
    </div>
  );
}

/** Asks as long as the job has not ended. */
function useJob(id: string) {
  const { jobs } = client.value;
  const load = async (signal: AbortSignal) => {
    const [job, steps] = await Promise.all([jobs.get(id, { signal }), jobs.steps(id, { signal })]);
    return { job, steps };
  };
  const until = ({ job, steps }: Awaited<ReturnType<typeof load>>) => hasEnded(job) && hasEnded(steps);
  return useLoad(load, [id, jobs], { everyMs: EVERY_MS, until });
}

type ViewProps = { readonly job: Job; readonly steps: JobSteps; reload(): void };

function JobView({ job, steps, reload }: ViewProps) {
  const rows = timelineOf(steps, platformNow());
  return (
    <>
      <header>
        <div class="heading">
          <h1>{job.agent_type}</h1>
          <div class="id">
            <StatusBadge status={job.status} />
            <code class="small">{job.id}</code>
            <CopyButton text={() => job.id} label={texts.copyId} />
          </div>
        </div>
        <JobActions job={job} onChanged={reload} />
      </header>
      {job.waiting_for.map((inquiry) => (
        <InquiryCard key={inquiry.request_id} jobId={job.id} inquiry={inquiry} onDecided={reload} />
      ))}
      <Facts job={job} rows={rows} />
      <section class="card part" aria-label={texts.timeline}>
        <h2>{texts.timeline}</h2>
        <TimelineView rows={rows} isTruncated={steps.truncated} />
      </section>
      <Outcome job={job} />
      <EventLog jobId={job.id} />
    </>
  );
}
