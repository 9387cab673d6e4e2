import { failoverContract } from "../contract/failover-contract.ts";
import { startSentinelSet } from "../support/redis-sets.ts";

failoverContract("Sentinels", startSentinelSet);
