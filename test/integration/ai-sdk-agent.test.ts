/** An agent of the AI SDK on the platform, with the packages of its example: what the adapter promises, over HTTP. */
import { frameworkContract } from "../support/framework-contract.ts";

frameworkContract("ai-sdk", { desk: "ai_sdk_desk", guests: "ai_sdk_guests", yes: { approve: true } });
