/** The tool `current_time`: the date and time now, in any time zone. */
import { z } from "zod";
import { defineTool, type Tool, ToolError } from "./tool.ts";

export const currentTime: Tool = defineTool({
  name: "current_time",
  description:
    "Tells the current date, time and weekday in a time zone. " +
    "Use it whenever an answer depends on today's date or the time now.",
  parameters: z.strictObject({
    time_zone: z
      .string()
      .max(100)
      .default("UTC")
      .describe("An IANA name such as Asia/Shanghai or Europe/Paris, or an offset such as +08:00; default UTC"),
  }),
  idempotent: true,
  call: ({ time_zone }) => describeTime(new Date(), time_zone),
});

/** Times in whole seconds. The offset is the one valid at that moment, so it includes daylight saving. */
export function describeTime(now: Date, timeZone: string) {
  const parts = Object.fromEntries(
    formatterFor(timeZone)
      .formatToParts(now)
      .map(({ type, value }) => [type, value]),
  );
  const { year, month, day, hour, minute, second, weekday, timeZoneName = "GMT" } = parts;
  return {
    // Intl names the offset "GMT+08:00", and Greenwich "GMT".
    local_time: `${year}-${month}-${day}T${hour}:${minute}:${second}${timeZoneName.slice(3) || "+00:00"}`,
    weekday,
    time_zone: timeZone,
    utc_time: `${now.toISOString().slice(0, 19)}Z`,
  };
}

function formatterFor(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      calendar: "iso8601",
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      weekday: "long",
      timeZoneName: "longOffset",
    });
  } catch {
    throw new ToolError(
      `"${timeZone}" is no IANA time zone; use a name such as Asia/Shanghai, America/New_York or UTC.`,
    );
  }
}
