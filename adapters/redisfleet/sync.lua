-- One step of the protocol of package fleet: State.Sync, see there for why.
-- All numbers are whole and below 2^53, so that doubles are exact; sums do not
-- depend on an order, and divisions are made as there.

local FORMAT = 1
local GOLDEN, BLUR = 0.6180339887498949, 1e-9

local state_key, processes_key, claims_key, quarantine_key, limited_key = unpack(KEYS)

-- Arguments -----------------------------------------------------------------

local at = 0
local function text()
	at = at + 1
	return ARGV[at]
end
local function number() return tonumber(text()) end

local wall, identity = number(), text()
local r = {
	process = text(), token = number(), seq = number(), hold = number(), most = number(),
	fresh = number() == 1, leave = number() == 1,
}
local terms = {
	version = number(), capacity = number(), ttl = number(), quarantine = number(),
	refresh = number(), fence = number(),
}
local rest_slots, rest_weight = number(), number()
local claims = { rest_slots, rest_weight } -- then name, slots and weight of each
local count = number()
for i = 1, count do
	claims[3 * i], claims[3 * i + 1], claims[3 * i + 2] = text(), number(), number()
end
local fenced = {}
for i = 1, number() do
	fenced[i] = text() -- a field of the quarantine
end

if wall == 0 then
	local now = redis.call('TIME')
	wall = tonumber(now[1]) * 1000000 + tonumber(now[2])
	identity = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
end

-- State ----------------------------------------------------------------------

local function pack(t) return cmsgpack.pack(t) end
local function whole(n) return string.format('%.0f', n) end
local function exact(x) return string.format('%.17g', x) end

local s
local stored = redis.call('GET', state_key)
if stored then
	s = cmsgpack.unpack(stored)
	if s.format ~= FORMAT then
		return redis.error_reply('FLEET the state has format ' .. tostring(s.format) .. ', this script knows ' .. FORMAT)
	end
end

local INFINITE = 9007199254740992

local function learn() s.learning = s.clock + s.terms.ttl + s.terms.quarantine end

if not s then
	redis.call('DEL', processes_key, claims_key, quarantine_key, limited_key)
	s = {
		format = FORMAT, identity = identity, terms = terms, wall = wall, clock = 0, learning = 0,
		token = 0, used = 0, due = INFINITE, count = 0, kept = 0,
		made = -1, scarce = 0, level = 0, headroom = 0, offset = 0, rotated = 0,
	}
	if not r.fresh then learn() end
else
	local step = wall - s.wall
	s.clock = s.clock + math.max(0, math.min(step, s.terms.refresh + math.floor(s.terms.refresh / 4)))
	s.wall = wall
	if identity ~= s.identity then
		s.identity = identity
		learn()
	end
	if s.learning > 0 and s.clock >= s.learning then s.learning = 0 end
end

-- A process is {token, seq, grant, expires, phase}.
local TOKEN, SEQ, GRANT, EXPIRES, PHASE = 1, 2, 3, 4, 5
-- A grant in quarantine is {grant, until, asked, fenced}.
local UNTIL, ASKED, FENCED = 2, 3, 4

-- less compares bytes, which the operator does not where there is a locale.
local function less(a, b)
	for i = 1, math.min(#a, #b) do
		local x, y = string.byte(a, i), string.byte(b, i)
		if x ~= y then return x < y end
	end
	return #a < #b
end

local function field(name, token) return whole(token) .. ':' .. name end

local function dismiss(name, p)
	redis.call('HDEL', processes_key, name)
	redis.call('HDEL', claims_key, name)
	s.count = s.count - 1
	if p[GRANT] > 0 then
		local till = s.clock + s.terms.quarantine
		redis.call('HSET', quarantine_key, field(name, p[TOKEN]), pack({ p[GRANT], till, 0, 0 }))
		s.kept = s.kept + 1
		s.due = math.min(s.due, till)
	end
end

if s.clock >= s.due then
	s.due = INFINITE
	local all = redis.call('HGETALL', processes_key)
	for i = 1, #all, 2 do
		local p = cmsgpack.unpack(all[i + 1])
		if p[EXPIRES] <= s.clock then
			dismiss(all[i], p)
		else
			s.due = math.min(s.due, p[EXPIRES])
		end
	end
	all = redis.call('HGETALL', quarantine_key)
	for i = 1, #all, 2 do
		local q = cmsgpack.unpack(all[i + 1])
		if q[UNTIL] <= s.clock and (q[FENCED] == 1 or s.terms.fence == 0) then
			s.used = s.used - q[1]
			s.kept = s.kept - 1
			redis.call('HDEL', quarantine_key, all[i])
		else
			s.due = math.min(s.due, math.max(q[UNTIL], s.clock))
		end
	end
end

-- Reply ----------------------------------------------------------------------

local function reply(status, more)
	redis.call('SET', state_key, pack(s))
	local t = s.terms
	local out = {
		whole(status), whole(t.version), whole(t.capacity), whole(t.ttl), whole(t.quarantine),
		whole(t.refresh), whole(t.fence),
	}
	for _, v in ipairs(more or {}) do out[#out + 1] = v end
	return out
end

local OK, STALE, EXPIRED, FENCED_STATUS, MISMATCH = 0, 1, 2, 3, 4

-- Terms ----------------------------------------------------------------------

local t = s.terms
local idle = s.count == 0 and s.kept == 0 and s.learning == 0
local conflict = t.ttl ~= terms.ttl or t.quarantine ~= terms.quarantine or t.refresh ~= terms.refresh
	or t.fence ~= terms.fence or (t.version == terms.version and t.capacity ~= terms.capacity)
local newer = terms.version > t.version
if conflict and not (idle and newer) then return reply(MISMATCH) end
if newer then
	s.terms = terms
	s.made = -1
end

-- The grant that the request is about ----------------------------------------

local known = redis.call('HGET', processes_key, r.process)
local p = known and cmsgpack.unpack(known)

local function enlist(token)
	p = { token, 0, 0, 0, 0 }
	s.count = s.count + 1
	s.token = math.max(s.token, token)
	s.due = math.min(s.due, s.clock + s.terms.ttl)
end

local function admit()
	if r.token == 0 then
		if p and r.seq <= p[SEQ] then return STALE end
		if p then dismiss(r.process, p) end
		enlist(math.max(s.token + 1, wall))
		return OK
	end
	if r.token > s.token then
		s.token = r.token
		if s.learning == 0 then learn() end
	end
	if p and r.token == p[TOKEN] then
		if r.seq <= p[SEQ] then return STALE end
		return OK
	end
	if p and (r.token < p[TOKEN] or s.learning == 0) then return FENCED_STATUS end
	if p then dismiss(r.process, p) end
	local kept = redis.call('HGET', quarantine_key, field(r.process, r.token))
	if kept then
		if s.terms.fence == 1 then return FENCED_STATUS end
		redis.call('HDEL', quarantine_key, field(r.process, r.token))
		s.kept = s.kept - 1
		enlist(r.token)
		p[GRANT] = cmsgpack.unpack(kept)[1]
		return OK
	end
	if s.learning == 0 then return EXPIRED end
	enlist(r.token)
	return OK
end

local status = admit()
if status ~= OK then return reply(status) end

if r.hold > p[GRANT] and s.learning == 0 then learn() end
s.used = s.used + r.hold - p[GRANT]
p[GRANT], p[SEQ], p[EXPIRES] = r.hold, r.seq, s.clock + s.terms.ttl
redis.call('HSET', processes_key, r.process, pack(p))
redis.call('HSET', claims_key, r.process, pack(claims))
for _, f in ipairs(fenced) do
	local kept = redis.call('HGET', quarantine_key, f)
	if kept then
		local q = cmsgpack.unpack(kept)
		q[FENCED] = 1
		redis.call('HSET', quarantine_key, f, pack(q))
	end
end
