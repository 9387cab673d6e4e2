import { expect, test } from "vitest";
import { currentTime, describeTime } from "./current-time.ts";
import { type ToolContext, ToolError } from "./tool.ts";

test.each([
  ["UTC", "2026-03-29T00:59:59Z", "2026-03-29T00:59:59+00:00", "Sunday"],
  ["Asia/Shanghai", "2025-12-31T16:00:00Z", "2026-01-01T00:00:00+08:00", "Thursday"],
  ["Asia/Kolkata", "2026-07-01T12:00:00Z", "2026-07-01T17:30:00+05:30", "Wednesday"],
  ["America/St_Johns", "2026-01-15T03:29:59Z", "2026-01-14T23:59:59-03:30", "Wednesday"],
  ["+08:00", "2026-07-01T00:00:00Z", "2026-07-01T08:00:00+08:00", "Wednesday"],
  // Before and after the changes to and from daylight saving.
  ["Europe/Paris", "2026-03-29T00:59:59Z", "2026-03-29T01:59:59+01:00", "Sunday"],
  ["Europe/Paris", "2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00", "Sunday"],
  ["Europe/Paris", "2026-10-25T00:30:00Z", "2026-10-25T02:30:00+02:00", "Sunday"],
  ["Europe/Paris", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00+01:00", "Sunday"],
])("the time in %s at %s is %s, a %s", (timeZone, utc, local, weekday) => {
  const described = describeTime(new Date(utc), timeZone);
  expect(described).toEqual({ local_time: local, weekday, time_zone: timeZone, utc_time: utc });
  expect(Date.parse(described.local_time)).toBe(Date.parse(utc));
});

test("without a zone current_time returns the present time in UTC", async () => {
  const before = Date.now();
  const described = await currentTime.call(currentTime.parse({}), {} as ToolContext);
  expect(described).toMatchObject({
    time_zone: "UTC",
    utc_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
  });
  const { local_time } = described as { local_time: string };
  expect(Date.parse(local_time)).toBeGreaterThan(before - 1_000);
  expect(Date.parse(local_time)).toBeLessThanOrEqual(Date.now());
});

test.each(["Mars/Olympus", "", "Shanghai", "__proto__", "上海"])("the time zone %o is refused", async (time_zone) => {
  const call = currentTime.call(currentTime.parse({ time_zone }), {} as ToolContext);
  await expect(call).rejects.toThrow(ToolError);
  await expect(call).rejects.toThrow("is no IANA time zone");
});
