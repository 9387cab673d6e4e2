/** What the examples in the OpenAPI document share. */

export const SESSION_ID = "019a8d3e-52f0-7c41-8a6b-3d2f9c1e7a50";
export const JOB_ID = "019a8d3e-5301-7b92-9c0d-4e5f6a7b8c9d";
export const TIME = "2026-11-29T08:00:00.000Z";
export const USAGE = { input_tokens: 21, output_tokens: 8, total_tokens: 29 };
