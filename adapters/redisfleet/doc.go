// Package redisfleet keeps the state of a fleet in Redis or Valkey: an Engine
// for package fleet, as one Lua script.
//
// # Settings of the server
//
// A fleet needs a server that does not forget. What it forgets all the same
// costs time, not correctness, as long as it shows: after a restart, a failover
// or a FLUSHALL nothing grows for TTL and Quarantine, until every process has
// told what it has. What does not show is a single key that is gone, so:
//
//   - maxmemory-policy must be noeviction if maxmemory is set.
//   - appendonly should be yes. Without it a restart forgets the fleet, and
//     its tokens start again with the time of day.
//   - min-replicas-to-write should be at least 1 where there are replicas:
//     otherwise a server that a partition has cut off goes on granting for as
//     long as processes reach it, beside the replica that was promoted.
//
// Check tells which of them is missing. The user needs the permissions
// "~fleet:{name}:* +eval +evalsha +info +time +get +set +del +hget +hset +hdel
// +hgetall +hmget". The client should heed contexts (ContextTimeoutEnabled), and
// not repeat commands (MaxRetries: -1): a request that has been carried out twice
// is harmless, but its answer is lost.
package redisfleet
