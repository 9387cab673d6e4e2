/** A small chart of the last ten minutes. Its newest values stand above it as text; the pointer shows earlier ones. */
import { useState } from "preact/hooks";
import { formatTime } from "../text/format.ts";
import { areaPath, linePath, niceTop, type Sample, sampleAt, spotsOf } from "./chart.ts";
import { texts } from "./texts.ts";

const SPAN_MS = 600_000;
/** Of the drawing, which is stretched to its place. */
const [WIDTH, HEIGHT] = [600, 120];

type Series = { readonly name: string; readonly samples: readonly Sample[] };

type Props = {
  readonly title: string;
  readonly format: (value: number) => string;
  /** One or two; the first is the more important one. */
  readonly series: readonly Series[];
};

export function LineChart({ title, format, series }: Props) {
  const [pointedAt, setPointedAt] = useState<number | null>(null);
  const values = series.flatMap(({ samples }) => samples.flatMap(({ value }) => value ?? []));
  const highest = Math.max(0, ...values);
  // Of the newest sample and not of this computer's clock, which may differ.
  const to = Math.max(...series.flatMap(({ samples }) => samples.at(-1)?.at ?? []), 0);
  const frame = { from: to - SPAN_MS, to, top: niceTop(highest) };
  const at = pointedAt ?? to;
  const shownAt = sampleAt(series[0]?.samples ?? [], at)?.at;
  const textOf = (value: number | null | undefined) => (value == null ? texts.noValue : format(value));
  const current = series.map(({ name, samples }) => ({ name, text: textOf(sampleAt(samples, at)?.value) }));
  const spoken = current.map(({ name, text }) => `${name} ${text}`).join(", ");
  return (
    <figure class="card chart">
      <figcaption>
        <h2>{title}</h2>
        <p class="muted small number">{pointedAt !== null && shownAt !== undefined && formatTime(timeOf(shownAt))}</p>
        <ul>
          {current.map(({ name, text }) => (
            <li key={name}>
              <strong class="number">{text}</strong>
              {series.length > 1 && <span class="muted small">{name}</span>}
            </li>
          ))}
        </ul>
      </figcaption>
      <div class="plot">
        <span class="top muted number">{format(frame.top)}</span>
        <svg
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${title}: ${spoken}; ${texts.highest(format(highest))}`}
          onPointerMove={({ offsetX, currentTarget }) => {
            setPointedAt(frame.from + (offsetX / currentTarget.clientWidth) * SPAN_MS);
          }}
          onPointerLeave={() => setPointedAt(null)}
        >
          <path class="grid" d={`M0 0H${WIDTH}M0 ${HEIGHT / 2}H${WIDTH}M0 ${HEIGHT}H${WIDTH}`} />
          {series.map(({ name, samples }, index) => {
            const lines = spotsOf(samples, frame);
            return (
              <g key={name} class={index === 0 ? "first" : "second"}>
                {index === 0 && <path class="area" d={areaPath(lines, WIDTH, HEIGHT)} />}
                <path class="line" d={linePath(lines, WIDTH, HEIGHT)} />
              </g>
            );
          })}
          {pointedAt !== null && shownAt !== undefined && (
            <path class="pointer" d={`M${((shownAt - frame.from) / SPAN_MS) * WIDTH} 0V${HEIGHT}`} />
          )}
        </svg>
      </div>
      <p class="times muted">
        <span>{texts.tenMinutesAgo}</span>
        <span>{texts.now}</span>
      </p>
    </figure>
  );
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
