/** All that waits for a person, newest first. */
import type { Job } from "@agent-paas/client";
import { Inbox } from "lucide";
import { useState } from "preact/hooks";
import { Pager } from "../jobs/pager.tsx";
import { useJobPages } from "../jobs/use-job-pages.ts";
import { linkTo } from "../state/route.ts";
import { formatAge, formatTime } from "../text/format.ts";
import { Await, Empty } from "../ui/states.tsx";
import { InquiryCard } from "./inquiry-card.tsx";
import { texts } from "./texts.ts";

const EVERY_MS = 3_000;
const JOBS_PER_PAGE = 20;

export function InboxPage() {
  const pages = useJobPages({ status: "waiting", limit: JOBS_PER_PAGE }, EVERY_MS);
  /** Decided here; a list that was asked for before may still have them. */
  const [decided, setDecided] = useState<ReadonlySet<string>>(new Set());
  const onDecided = (requestId: string) => {
    setDecided((before) => new Set(before).add(requestId));
    pages.reload();
  };
  return (
    <div class="page inbox">
      <header>
        <div>
          <h1>{texts.title}</h1>
          <span class="muted">{texts.intro}</span>
        </div>
      </header>
      <Await of={pages}>
        {({ jobs }) => {
          const waiting = jobs.filter((job) => openInquiries(job, decided).length > 0);
          if (waiting.length === 0) return <Empty icon={Inbox}>{texts.empty}</Empty>;
          return waiting.map((job) => <WaitingJob key={job.id} {...{ job, decided, onDecided }} />);
        }}
      </Await>
      <Pager pages={pages} />
    </div>
  );
}

const openInquiries = (job: Job, decided: ReadonlySet<string>) =>
  job.waiting_for.filter(({ request_id }) => !decided.has(request_id));

type JobProps = {
  readonly job: Job;
  readonly decided: ReadonlySet<string>;
  onDecided(requestId: string): void;
};

const WaitingJob = ({ job, decided, onDecided }: JobProps) => (
  <article class="card waiting-job">
    <header>
      <h2>{job.agent_type}</h2>
      <time class="muted small" dateTime={job.created_at} title={formatTime(job.created_at)}>
        {texts.since(formatAge(job.created_at))}
      </time>
      <span class="links small">
        {job.session_id !== null && <a href={linkTo("chat", job.session_id)}>{texts.chat}</a>}
        <a href={linkTo("jobs", job.id)}>{texts.job}</a>
      </span>
    </header>
    {openInquiries(job, decided).map((inquiry) => (
      <InquiryCard
        key={inquiry.request_id}
        jobId={job.id}
        inquiry={inquiry}
        onDecided={() => onDecided(inquiry.request_id)}
      />
    ))}
  </article>
);
