/** For jobs whose tools need no approval. */
import type { Approvals } from "../tools/approvals.ts";

export const APPROVE_ALL: Approvals = {
  decide: async (_tool, args) => ({ mayCall: true, args, isEdited: false }),
};
