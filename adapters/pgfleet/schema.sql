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

-- What a claim is due in its process: plan.quota.
CREATE OR REPLACE FUNCTION fairpool.fleet_quota(level float8, slots bigint, weight bigint, want_slots bigint, want_weight bigint)
RETURNS float8 LANGUAGE sql IMMUTABLE AS $$
	SELECT CASE
		WHEN greatest(want_slots, slots)::float8 <= level * greatest(want_weight, weight)::float8 THEN slots::float8
		ELSE slots::float8 * level * greatest(want_weight, weight)::float8 / greatest(want_slots, slots)::float8
	END
$$;

-- State.dismiss, but for the columns of the state: returns what goes into
-- quarantine.
CREATE OR REPLACE FUNCTION fairpool.fleet_dismiss(fleet_name text, who bytea, till bigint)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
	p fairpool.fleet_process;
BEGIN
	DELETE FROM fairpool.fleet_process WHERE fleet = fleet_name AND process = who RETURNING * INTO p;
	IF p.slots > 0 THEN
		INSERT INTO fairpool.fleet_quarantine (fleet, token, process, slots, until)
		VALUES (fleet_name, p.token, who, p.slots, till)
		ON CONFLICT (fleet, token, process) DO UPDATE SET slots = excluded.slots, until = excluded.until, asked = 0, fenced = false;
		RETURN p.slots;
	END IF;
	RETURN 0;
END $$;

-- State.replan. The sums are whole numbers, and so do not depend on an order.
CREATE OR REPLACE FUNCTION fairpool.fleet_plan(s fairpool.fleet_state)
RETURNS fairpool.fleet_state LANGUAGE plpgsql AS $$
DECLARE
	golden constant float8 := 0.6180339887498949;
	blur   constant float8 := 1e-9;
	total bigint;
	members bigint;
	unmet bigint;
	before bigint := -1;
	unmet_slots bigint;
	unmet_weight bigint;
	all_tenants bytea[]; all_slots bigint[]; all_weights bigint[];
	at float8;
	p record;
BEGIN
	s.made := s.clock;
	SELECT count(*), coalesce(sum(rest_slots + (SELECT coalesce(sum(c), 0) FROM unnest(claims) c)), 0)
	INTO members, total FROM fairpool.fleet_process WHERE fleet = s.name;
	s.scarce := total > s.capacity;
	s.level := 0;
	s.headroom := 0;
	IF NOT s.scarce THEN
		s.headroom := (s.capacity - total) / (2 * greatest(1, members));
		DELETE FROM fairpool.fleet_limited WHERE fleet = s.name;
		RETURN s;
	END IF;
	-- All tenants, and the rests, which have no name.
	SELECT array_agg(w.tenant), array_agg(w.slots), array_agg(w.weight)
	INTO all_tenants, all_slots, all_weights
	FROM (
		SELECT c.tenant, sum(c.slots)::bigint AS slots, max(c.weight) AS weight
		FROM fairpool.fleet_process f, unnest(f.tenants, f.claims, f.weights) AS c (tenant, slots, weight)
		WHERE f.fleet = s.name GROUP BY c.tenant
		UNION ALL
		SELECT NULL, rest_slots, rest_weight FROM fairpool.fleet_process WHERE fleet = s.name AND rest_slots > 0
	) w;
	LOOP
		SELECT count(*), sum(w.slots), sum(w.weight) INTO unmet, unmet_slots, unmet_weight
		FROM unnest(all_slots, all_weights) AS w (slots, weight)
		WHERE before < 0 OR w.slots::float8 > s.level * w.weight::float8;
		EXIT WHEN unmet = 0 OR unmet = before;
		s.level := (s.capacity - total + unmet_slots)::float8 / unmet_weight::float8;
		before := unmet;
	END LOOP;
	DELETE FROM fairpool.fleet_limited l WHERE l.fleet = s.name AND NOT EXISTS (
		SELECT FROM unnest(all_tenants, all_slots, all_weights) AS w (tenant, slots, weight)
		WHERE w.tenant = l.tenant AND w.slots::float8 > s.level * w.weight::float8);
	INSERT INTO fairpool.fleet_limited AS l (fleet, tenant, slots, weight)
	SELECT s.name, w.tenant, w.slots, w.weight
	FROM unnest(all_tenants, all_slots, all_weights) AS w (tenant, slots, weight)
	WHERE w.tenant IS NOT NULL AND w.slots::float8 > s.level * w.weight::float8
	ON CONFLICT (fleet, tenant) DO UPDATE SET slots = excluded.slots, weight = excluded.weight
	WHERE l.slots <> excluded.slots OR l.weight <> excluded.weight;

	IF s.clock >= s.rotated + (CASE WHEN s.capacity < members THEN 3 * s.refresh ELSE s.ttl END) THEN
		s.rotated := s.clock;
		s.start := s.start + golden - floor(s.start + golden + blur);
	END IF;
	at := s.start;
	FOR p IN
		SELECT f.process, f.token, f.rest_slots, f.rest_weight, fairpool.fleet_due(s.name, s.level, f.tenants, f.claims, f.weights) AS quotas
		FROM fairpool.fleet_process f WHERE f.fleet = s.name ORDER BY f.token, f.process
	LOOP
		UPDATE fairpool.fleet_process SET phase = at WHERE fleet = s.name AND process = p.process AND phase <> at;
		at := at + fairpool.fleet_total(p.quotas, s.level, p.rest_slots, p.rest_weight);
		at := at - floor(at + blur);
	END LOOP;
	RETURN s;
END $$;

-- plan.due: the quotas of the claims of one process, in their order.
CREATE OR REPLACE FUNCTION fairpool.fleet_due(fleet_name text, level float8, tenants bytea[], claims bigint[], weights bigint[])
RETURNS float8[] LANGUAGE sql STABLE AS $$
	SELECT coalesce(array_agg(fairpool.fleet_quota(level, c.slots, c.weight, coalesce(l.slots, 0), coalesce(l.weight, 0)) ORDER BY c.at), '{}')
	FROM unnest(tenants, claims, weights) WITH ORDINALITY AS c (tenant, slots, weight, at)
	LEFT JOIN fairpool.fleet_limited l ON l.fleet = fleet_name AND l.tenant = c.tenant
$$;

-- Their sum and the quota of the rest, added in that order.
CREATE OR REPLACE FUNCTION fairpool.fleet_total(quotas float8[], level float8, rest_slots bigint, rest_weight bigint)
RETURNS float8 LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
	total float8 := 0;
	q float8;
BEGIN
	FOREACH q IN ARRAY quotas LOOP
		total := total + q;
	END LOOP;
	IF rest_slots > 0 THEN
		total := total + fairpool.fleet_quota(level, rest_slots, rest_weight, 0, 0);
	END IF;
	RETURN total;
END $$;

-- One step: State.Sync. now is 0 for the time of the server, which then has its
-- own identity too.
CREATE OR REPLACE FUNCTION fairpool.fleet_sync(
	fleet_name text, now bigint, engine text,
	who bytea, with_token bigint, with_seq bigint, hold bigint, most bigint, fresh boolean, leaving boolean,
	t_version bigint, t_capacity bigint, t_ttl bigint, t_quarantine bigint, t_refresh bigint, t_fence boolean,
	c_tenants bytea[], c_slots bigint[], c_weights bigint[], r_slots bigint, r_weight bigint,
	f_processes bytea[], f_tokens bigint[],
	OUT status int, OUT o_version bigint, OUT o_capacity bigint, OUT o_ttl bigint, OUT o_quarantine bigint, OUT o_refresh bigint, OUT o_fence boolean,
	OUT o_token bigint, OUT o_grant bigint, OUT o_target bigint, OUT o_scarce boolean, OUT o_quotas float8[], OUT o_rest float8,
	OUT o_learning bigint, OUT o_used bigint, OUT o_processes bigint, OUT o_fence_processes bytea[], OUT o_fence_tokens bigint[]
) LANGUAGE plpgsql AS $$
DECLARE
	s fairpool.fleet_state;
	p fairpool.fleet_process;
	q fairpool.fleet_quarantine;
	known boolean;
	claimed bigint;
	free bigint;
	more bigint;
BEGIN
	IF current_setting('synchronous_commit') IN ('off', 'local') THEN
		PERFORM set_config('synchronous_commit', 'on', true); -- a grant must not be forgotten
	END IF;
	LOOP
		SELECT * INTO s FROM fairpool.fleet_state WHERE name = fleet_name FOR UPDATE;
		known := FOUND;
		IF now = 0 OR now IS NULL THEN -- after the lock: time must not go back
			now := floor(extract(epoch FROM clock_timestamp()) * 1000000)::bigint;
			engine := (SELECT system_identifier FROM pg_control_system()) || '/' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
		END IF;
		EXIT WHEN known;
		INSERT INTO fairpool.fleet_state (name, identity, version, capacity, ttl, quarantine, refresh, fence, wall, learning)
		VALUES (fleet_name, engine, t_version, t_capacity, t_ttl, t_quarantine, t_refresh, t_fence, now,
			CASE WHEN fresh THEN 0 ELSE t_ttl + t_quarantine END)
		ON CONFLICT (name) DO NOTHING;
		IF FOUND THEN
			DELETE FROM fairpool.fleet_process WHERE fleet = fleet_name;
			DELETE FROM fairpool.fleet_quarantine WHERE fleet = fleet_name;
			DELETE FROM fairpool.fleet_limited WHERE fleet = fleet_name;
		END IF;
	END LOOP;

	-- wake
	s.clock := s.clock + greatest(0, least(now - s.wall, s.refresh + s.refresh / 4));
	s.wall := now;
	IF engine <> s.identity THEN
		s.identity := engine;
		s.learning := s.clock + s.ttl + s.quarantine;
	END IF;
	IF s.learning > 0 AND s.clock >= s.learning THEN
		s.learning := 0;
	END IF;

	-- expire
	IF s.clock >= s.due THEN
		PERFORM fairpool.fleet_dismiss(fleet_name, f.process, s.clock + s.quarantine)
		FROM fairpool.fleet_process f WHERE f.fleet = fleet_name AND f.expires <= s.clock;
		WITH over AS (
			DELETE FROM fairpool.fleet_quarantine k
			WHERE k.fleet = fleet_name AND k.until <= s.clock AND (k.fenced OR NOT s.fence) RETURNING k.slots
		)
		SELECT s.used - coalesce(sum(slots), 0) INTO s.used FROM over;
		s.due := least(
			coalesce((SELECT min(f.expires) FROM fairpool.fleet_process f WHERE f.fleet = fleet_name), 9223372036854775807),
			coalesce((SELECT min(greatest(k.until, s.clock)) FROM fairpool.fleet_quarantine k WHERE k.fleet = fleet_name), 9223372036854775807));
	END IF;

	status := 0;
	<<step>>
	BEGIN
		-- agree
		IF (t_ttl <> s.ttl OR t_quarantine <> s.quarantine OR t_refresh <> s.refresh OR t_fence <> s.fence
				OR t_version = s.version AND t_capacity <> s.capacity)
			AND NOT (t_version > s.version AND s.learning = 0
				AND NOT EXISTS (SELECT FROM fairpool.fleet_process f WHERE f.fleet = fleet_name)
				AND NOT EXISTS (SELECT FROM fairpool.fleet_quarantine k WHERE k.fleet = fleet_name))
		THEN
			status := 4;
			EXIT step;
		END IF;
		IF t_version > s.version THEN
			s.version := t_version;
			s.capacity := t_capacity;
			s.ttl := t_ttl;
			s.quarantine := t_quarantine;
			s.refresh := t_refresh;
			s.fence := t_fence;
			s.made := -1;
		END IF;

		-- admit
		SELECT * INTO p FROM fairpool.fleet_process f WHERE f.fleet = fleet_name AND f.process = who;
		known := FOUND;
		IF with_token > s.token THEN
			s.token := with_token;
			IF s.learning = 0 THEN
				s.learning := s.clock + s.ttl + s.quarantine;
			END IF;
		END IF;
		IF known AND with_token IN (0, p.token) AND with_seq <= p.seq THEN
			status := 1;
			EXIT step;
		END IF;
		IF NOT known OR with_token <> p.token THEN
			IF known AND with_token <> 0 AND (with_token < p.token OR s.learning = 0) THEN
				status := 3;
				EXIT step;
			END IF;
			IF known AND fairpool.fleet_dismiss(fleet_name, who, s.clock + s.quarantine) > 0 THEN
				s.due := least(s.due, s.clock + s.quarantine);
			END IF;
			p.token := with_token;
			p.slots := 0;
			IF with_token = 0 THEN
				p.token := greatest(s.token + 1, now);
			ELSE
				SELECT * INTO q FROM fairpool.fleet_quarantine k
				WHERE k.fleet = fleet_name AND k.token = with_token AND k.process = who;
				IF FOUND AND s.fence THEN
					status := 3;
					EXIT step;
				ELSIF FOUND THEN
					DELETE FROM fairpool.fleet_quarantine k
					WHERE k.fleet = fleet_name AND k.token = with_token AND k.process = who;
					p.slots := q.slots;
				ELSIF s.learning = 0 THEN
					status := 2;
					EXIT step;
				END IF;
			END IF;
			s.token := greatest(s.token, p.token);
			s.due := least(s.due, s.clock + s.ttl);
			p.phase := 0;
			INSERT INTO fairpool.fleet_process
			VALUES (fleet_name, who, p.token, 0, p.slots, s.clock + s.ttl, 0, '{}', '{}', '{}', 0, 0);
		END IF;

		IF hold > p.slots AND s.learning = 0 THEN
			s.learning := s.clock + s.ttl + s.quarantine;
		END IF;
		s.used := s.used + hold - p.slots;
		p.slots := hold;
		p.seq := with_seq;
		p.expires := s.clock + s.ttl;
		UPDATE fairpool.fleet_process SET
			slots = p.slots, seq = p.seq, expires = p.expires,
			tenants = c_tenants, claims = c_slots, weights = c_weights, rest_slots = r_slots, rest_weight = r_weight
		WHERE fleet = fleet_name AND process = who;
		IF cardinality(f_tokens) > 0 THEN
			UPDATE fairpool.fleet_quarantine k SET fenced = true
			FROM unnest(f_processes, f_tokens) AS f (process, token)
			WHERE k.fleet = fleet_name AND k.token = f.token AND k.process = f.process;
		END IF;

		o_token := p.token;
		o_grant := 0;
		o_target := 0;
		o_scarce := false;
		o_quotas := '{}';
		o_rest := 0;
		IF leaving THEN
			IF fairpool.fleet_dismiss(fleet_name, who, s.clock + s.quarantine) > 0 THEN
				s.due := least(s.due, s.clock + s.quarantine);
			END IF;
		ELSE
			-- grow
			IF s.made < 0 OR s.clock >= s.made + s.refresh THEN
				s := fairpool.fleet_plan(s);
				SELECT phase INTO p.phase FROM fairpool.fleet_process WHERE fleet = fleet_name AND process = who;
			END IF;
			free := s.capacity - s.used;
			claimed := r_slots + (SELECT coalesce(sum(c), 0) FROM unnest(c_slots) c);
			o_scarce := s.scarce;
			IF s.scarce THEN
				o_quotas := fairpool.fleet_due(fleet_name, s.level, c_tenants, c_slots, c_weights);
				IF r_slots > 0 THEN
					o_rest := fairpool.fleet_quota(s.level, r_slots, r_weight, 0, 0);
				END IF;
				o_target := least(claimed, floor(fairpool.fleet_total(o_quotas, s.level, r_slots, r_weight) + p.phase + 1e-9)::bigint);
			ELSE
				o_target := claimed + s.headroom;
				IF 10 * free >= s.capacity THEN
					o_target := greatest(o_target, p.slots);
				END IF;
			END IF;
			o_target := least(o_target, most, s.capacity);
			more := least(o_target - p.slots, free);
			IF more > 0 AND with_token <> 0 AND s.learning = 0 THEN
				p.slots := p.slots + more;
				s.used := s.used + more;
				UPDATE fairpool.fleet_process SET slots = p.slots WHERE fleet = fleet_name AND process = who;
			END IF;
			o_grant := p.slots;
			IF s.fence THEN
				WITH open AS (
					SELECT k.process, k.token FROM fairpool.fleet_quarantine k
					WHERE k.fleet = fleet_name AND NOT k.fenced AND k.asked <= s.clock
					ORDER BY k.token, k.process LIMIT 4
				), ordered AS (
					UPDATE fairpool.fleet_quarantine k SET asked = s.clock + s.ttl / 2
					FROM open WHERE k.fleet = fleet_name AND k.process = open.process AND k.token = open.token
					RETURNING k.process, k.token
				)
				SELECT array_agg(process ORDER BY token, process), array_agg(token ORDER BY token, process)
				INTO o_fence_processes, o_fence_tokens FROM ordered;
			END IF;
		END IF;
		o_learning := CASE WHEN s.learning > 0 THEN s.learning - s.clock ELSE 0 END;
		o_used := s.used;
		SELECT count(*) INTO o_processes FROM fairpool.fleet_process WHERE fleet = fleet_name;
	END;
	UPDATE fairpool.fleet_state SET
		version = s.version, capacity = s.capacity, ttl = s.ttl, quarantine = s.quarantine, refresh = s.refresh, fence = s.fence,
		token = s.token, identity = s.identity, wall = s.wall, clock = s.clock, learning = s.learning, used = s.used, due = s.due,
		made = s.made, scarce = s.scarce, level = s.level, headroom = s.headroom, start = s.start, rotated = s.rotated
	WHERE name = fleet_name;
	o_version := s.version;
	o_capacity := s.capacity;
	o_ttl := s.ttl;
	o_quarantine := s.quarantine;
	o_refresh := s.refresh;
	o_fence := s.fence;
END $$;
