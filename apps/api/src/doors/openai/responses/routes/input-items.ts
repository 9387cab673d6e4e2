/** GET /v1/responses/{id}/input_items: what the request gave. */
import { z } from "zod";
import type { Route } from "../../../../http/door.ts";
import { jsonResponse } from "../../../../http/operation.ts";
import { READ_ERRORS } from "../../../../http/route-errors.ts";
import type { Services } from "../../../../services.ts";
import { validate } from "../../../../validation/validate.ts";
import { givenMessages } from "../given-messages.ts";
import { jobIdOf } from "../ids.ts";
import { asItems } from "../items.ts";
import { ItemListSchema, ItemsQuerySchema, pageOf } from "../lists.ts";
import { findResponse } from "../read-response.ts";

export const getInputItems = (services: Services): Route => ({
  method: "get",
  path: "/responses/:response_id/input_items",
  access: "key",
  operation: {
    id: "listInputItems",
    tag: "OpenAI",
    summary: "List the items that a request gave",
    params: { response_id: z.string().describe("The id of a response, or of a job.") },
    query: ItemsQuerySchema,
    responses: { 200: jsonResponse("A page of items.", ItemListSchema) },
    errors: [...READ_ERRORS, "job_not_found"],
  },
  async handle(req, res, { owner }) {
    const jobId = jobIdOf(String(req.params.response_id));
    const query = validate(ItemsQuerySchema, req.query);
    const found = await findResponse(services, owner, jobId);
    const messages = await givenMessages(services, owner, found);
    res.json(
      pageOf(
        asItems(messages, (at) => `in_${jobId}_${at}`),
        query,
      ),
    );
  },
});
