/**
 * Answers what a server asks of this client. It declares no capabilities, so a server should ask nothing but pings,
 * which the SDK answers. One that asks all the same is told why it gets nothing, because its tool may pass the words
 * on to the model.
 */
import { ErrorCode } from "@modelcontextprotocol/sdk/types.js";

const REASONS: Readonly<Record<string, string>> = {
  "elicitation/create": "the platform cannot ask a person yet, so this client does not support elicitation",
  "sampling/createMessage": "this client gives no access to its model, so it does not support sampling",
  "roots/list": "this client has no folders to share, so it does not support roots",
};

/** Rejects with the error that the server gets. */
export async function refuseRequest({ method }: { method: string }, onNote: (note: string) => void): Promise<never> {
  const reason = Object.hasOwn(REASONS, method) ? REASONS[method] : "this client does not know the method";
  onNote(`it asked for ${method.slice(0, 100)}: ${reason}`);
  throw Object.assign(new Error(`Refused: ${reason}.`), { code: ErrorCode.MethodNotFound });
}
