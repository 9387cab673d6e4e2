import { failoverContract } from "../contract/failover-contract.ts";
import { startCluster } from "../support/redis-sets.ts";

failoverContract("a cluster", startCluster);
