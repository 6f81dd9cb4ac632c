-- The schema of package pgfleet. It may be run any number of times, by hand or
-- by Migrate; CREATE permission on the database is needed the first time only.
-- The roles that members connect as need:
--   GRANT USAGE ON SCHEMA fairpool TO ...;
--   GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA fairpool TO ...;

CREATE SCHEMA IF NOT EXISTS fairpool;

CREATE OR REPLACE FUNCTION fairpool.fleet_version() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';

-- Rows are small and updated all the time: there is room on their page for the
-- next version, so that no index has to follow.
CREATE TABLE IF NOT EXISTS fairpool.fleet_state (
	name       text PRIMARY KEY,
	identity   text NOT NULL,
	version    bigint NOT NULL,
	capacity   bigint NOT NULL,
	ttl        bigint NOT NULL, -- this and all times: microseconds
	quarantine bigint NOT NULL,
	refresh    bigint NOT NULL,
	fence      boolean NOT NULL,
	wall       bigint NOT NULL,
	clock      bigint NOT NULL DEFAULT 0,
	learning   bigint NOT NULL DEFAULT 0,
	token      bigint NOT NULL DEFAULT 0,
	used       bigint NOT NULL DEFAULT 0,
	due        bigint NOT NULL DEFAULT 9223372036854775807,
	made       bigint NOT NULL DEFAULT -1,
	scarce     boolean NOT NULL DEFAULT false,
	level      float8 NOT NULL DEFAULT 0,
	headroom   bigint NOT NULL DEFAULT 0,
	start      float8 NOT NULL DEFAULT 0,
	rotated    bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 10);

CREATE TABLE IF NOT EXISTS fairpool.fleet_process (
	fleet       text NOT NULL,
	process     bytea NOT NULL,
	token       bigint NOT NULL,
	seq         bigint NOT NULL,
	slots       bigint NOT NULL,
	expires     bigint NOT NULL,
	phase       float8 NOT NULL,
	tenants     bytea[] NOT NULL,
	claims      bigint[] NOT NULL,
	weights     bigint[] NOT NULL,
	rest_slots  bigint NOT NULL,
	rest_weight bigint NOT NULL,
	PRIMARY KEY (fleet, process)
) WITH (fillfactor = 30);

CREATE TABLE IF NOT EXISTS fairpool.fleet_quarantine (
	fleet   text NOT NULL,
	token   bigint NOT NULL,
	process bytea NOT NULL,
	slots   bigint NOT NULL,
	until   bigint NOT NULL,
	asked   bigint NOT NULL DEFAULT 0,
	fenced  boolean NOT NULL DEFAULT false,
	PRIMARY KEY (fleet, token, process)
);

-- A part of the plan, which may be lost at any time.
CREATE UNLOGGED TABLE IF NOT EXISTS fairpool.fleet_limited (
	fleet  text NOT NULL,
	tenant bytea NOT NULL,
	slots  bigint NOT NULL,
	weight bigint NOT NULL,
	PRIMARY KEY (fleet, tenant)
) WITH (fillfactor = 50);
