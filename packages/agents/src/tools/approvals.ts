/** Tool calls that a person must approve: which ones, and what follows from the decision. */
import type { Decision } from "@agent-paas/shared/contract/inquiries.ts";
import type { Inquiries } from "../job/inquiries.ts";
import { matchesName, type Tool } from "./tool.ts";

export type Approved =
  | { readonly mayCall: true; readonly args: unknown; readonly isEdited: boolean }
  /** `reason`: what the model is told. */
  | { readonly mayCall: false; readonly reason: string };

export type Approvals = {
  /** `parsed`: the arguments as the tool gets them. Rejects with `Suspended` while there is no decision. */
  decide(tool: Tool, args: unknown, parsed: unknown): Promise<Approved>;
};

/** @param patterns names of further tools that need an approval; `x*` stands for all that begin with `x`. */
export function createApprovals(inquiries: Inquiries, patterns: readonly string[]): Approvals {
  return {
    async decide(tool, args, parsed) {
      if (!needsApproval(tool, parsed, patterns)) return { mayCall: true, args, isEdited: false };
      return approvedBy(await inquiries.ask({ type: "approval", tool: tool.name, arguments: args }), args);
    },
  };
}

/** A function that fails decides nothing, so a person does. */
function needsApproval({ name, needsApproval: asked = false }: Tool, parsed: unknown, patterns: readonly string[]) {
  if (patterns.some((pattern) => matchesName(pattern, name))) return true;
  if (typeof asked !== "function") return asked;
  try {
    return asked(parsed) !== false;
  } catch {
    return true;
  }
}

function approvedBy(decision: Decision, args: unknown): Approved {
  if (decision.decision === "approve") return { mayCall: true, args, isEdited: false };
  if (decision.decision === "edit") return { mayCall: true, args: decision.arguments ?? {}, isEdited: true };
  if (decision.expired) {
    return { mayCall: false, reason: "The call was not made: nobody approved it in time, which counts as rejected." };
  }
  const why = decision.reason === undefined ? "." : `: ${decision.reason}`;
  return { mayCall: false, reason: `The call was not made: a person rejected it${why}` };
}
