/** The geometry of a small chart over time. Its width and height are 1; up is larger. */

/** A measured value; null where there was nothing to measure. */
export type Sample = { readonly at: number; readonly value: number | null };

/** A value in the chart; `y` 0 is the top. */
type Spot = { readonly x: number; readonly y: number };

export type Frame = {
  /** The times at the left and right edge, ms. */
  readonly from: number;
  readonly to: number;
  /** The value at the top; the bottom is 0. */
  readonly top: number;
};

/** The least of 1, 2, 5, 10, 20, 50 … that is not below `value`. */
export function niceTop(value: number): number {
  if (!(value > 1)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value) ?? value;
}

/** What is measured together: a line breaks where a sample has no value. */
export function spotsOf(samples: readonly Sample[], { from, to, top }: Frame): readonly (readonly Spot[])[] {
  const lines: Spot[][] = [[]];
  for (const { at, value } of samples) {
    if (at < from || at > to) continue;
    if (value === null) lines.push([]);
    else lines.at(-1)?.push({ x: (at - from) / (to - from), y: 1 - Math.min(1, value / top) });
  }
  return lines.filter((line) => line.length > 0);
}

/** For the `d` of a path, in a box of this size. A lone spot is a short stroke, so that it can be seen. */
export function linePath(lines: readonly (readonly Spot[])[], width: number, height: number): string {
  const place = ({ x, y }: Spot) => `${round(x * width)} ${round(y * height)}`;
  return lines
    .map((line) => {
      const [first, ...rest] = line;
      if (first === undefined) return "";
      if (rest.length === 0) return `M${place(first)}h0.01`;
      return `M${[first, ...rest].map(place).join("L")}`;
    })
    .join("");
}

/** The same lines, with what is below them. */
export const areaPath = (lines: readonly (readonly Spot[])[], width: number, height: number): string =>
  lines
    .filter((line) => line.length > 1)
    .map((line) => {
      const [first, last] = [line[0], line.at(-1)];
      return `${linePath([line], width, height)}V${height}`.concat(
        first === undefined || last === undefined ? "" : `H${round(first.x * width)}Z`,
      );
    })
    .join("");

const round = (value: number): number => Math.round(value * 100) / 100;

/** The newest sample not behind a time; undefined if there is none. */
export const sampleAt = (samples: readonly Sample[], at: number): Sample | undefined =>
  samples.findLast((sample) => sample.at <= at) ?? samples[0];
