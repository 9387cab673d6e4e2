/** The `openai` package's client, which keeps the whole body of a failure: it knows only the form of OpenAI itself. */
import OpenAI, { APIError } from "openai";

export class ProviderClient extends OpenAI {
  protected override makeStatusError(
    status: number,
    json: object | undefined,
    text: string | undefined,
    headers: Headers,
  ): APIError {
    return new APIError(status, json ?? text ?? "", undefined, headers);
  }
}
