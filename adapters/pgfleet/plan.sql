-- Package fleet's plan.go, and what ends a grant. It follows schema.sql.

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
