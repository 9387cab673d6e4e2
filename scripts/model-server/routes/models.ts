/** GET /v1/models. The server accepts every model name; these two appear in the list. */
import { type Handler, sendJson } from "../http.ts";

/** Seconds since 1970; fixed, so that the answer is the same in every run. */
const CREATED = 1_735_689_600;

export const models: Handler = ({ response }) => {
  const data = ["local-chat", "local-embedding"].map((id) => ({
    id,
    object: "model",
    created: CREATED,
    owned_by: "local",
  }));
  sendJson(response, 200, { object: "list", data });
};
