/** An agent of another framework on the platform, with the packages of its example. */
import { frameworkContract } from "../support/framework-contract.ts";

frameworkContract("openai-agents", {
  desk: "openai_agents_desk",
  guests: "openai_agents_guests",
  yes: { approve: true },
});
