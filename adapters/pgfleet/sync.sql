-- State.Sync. It follows plan.sql.

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
