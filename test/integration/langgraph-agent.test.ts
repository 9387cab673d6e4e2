/** An agent of another framework on the platform, with the packages of its example. */
import { frameworkContract } from "../support/framework-contract.ts";

frameworkContract("langgraph", { desk: "langgraph_desk", guests: "langgraph_guests", yes: "yes" });
