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

-- The plan -------------------------------------------------------------------

-- What a claim is due in its process.
local function quota(slots, weight, want_slots, want_weight)
	want_slots, want_weight = math.max(want_slots, slots), math.max(want_weight, weight)
	if want_slots <= s.level * want_weight then return slots end
	return slots * s.level * want_weight / want_slots
end

local function fraction(x) return x - math.floor(x + BLUR) end

-- The sum of the quotas of a process. limited gives slots and weight of a
-- tenant, zero if it is due all that it claims.
local function due(c, limited, quotas)
	local sum = 0
	for i = 3, #c, 3 do
		local q = quota(c[i + 1], c[i + 2], limited(c[i]))
		if quotas then quotas[#quotas + 1] = q end
		sum = sum + q
	end
	local rest = 0
	if c[1] > 0 then
		rest = quota(c[1], c[2], 0, 0)
		sum = sum + rest
	end
	return sum, rest
end

local function replan()
	if s.made >= 0 and s.clock < s.made + s.terms.refresh then return end
	s.made = s.clock
	local all = redis.call('HGETALL', claims_key)
	local slots, weights, rests = {}, {}, {}
	local vectors, total = {}, 0
	for i = 1, #all, 2 do
		local c = cmsgpack.unpack(all[i + 1])
		vectors[all[i]] = c
		for j = 3, #c, 3 do
			local name, n = c[j], c[j + 1]
			slots[name] = (slots[name] or 0) + n
			weights[name] = math.max(weights[name] or 0, c[j + 2])
			total = total + n
		end
		if c[1] > 0 then
			rests[#rests + 1] = { c[1], c[2] }
			total = total + c[1]
		end
	end
	s.scarce, s.level, s.headroom = 0, 0, 0
	redis.call('DEL', limited_key)
	if total <= s.terms.capacity then
		s.headroom = math.floor((s.terms.capacity - total) / (2 * math.max(1, #all / 2)))
		return
	end
	s.scarce = 1
	local open = rests
	for name, n in pairs(slots) do open[#open + 1] = { n, weights[name] } end
	while #open > 0 do
		local left, weight = s.terms.capacity - total, 0
		for _, w in ipairs(open) do
			left = left + w[1]
			weight = weight + w[2]
		end
		s.level = left / weight
		local still = {}
		for _, w in ipairs(open) do
			if w[1] > s.level * w[2] then still[#still + 1] = w end
		end
		if #still == #open then break end
		open = still
	end
	local batch = {}
	local function flush()
		if #batch > 0 then redis.call('HSET', limited_key, unpack(batch)) end
		batch = {}
	end
	for name, n in pairs(slots) do
		if n > s.level * weights[name] then
			batch[#batch + 1] = name
			batch[#batch + 1] = whole(n) .. ' ' .. whole(weights[name])
			if #batch >= 1000 then flush() end
		else
			slots[name] = nil
		end
	end
	flush()

	local pause = s.terms.ttl
	if s.terms.capacity < #all / 2 then pause = 3 * s.terms.refresh end
	if s.clock >= s.rotated + pause then
		s.rotated = s.clock
		s.offset = fraction(s.offset + GOLDEN)
	end
	local processes = {}
	all = redis.call('HGETALL', processes_key)
	for i = 1, #all, 2 do
		processes[#processes + 1] = { all[i], cmsgpack.unpack(all[i + 1]) }
	end
	table.sort(processes, function(a, b)
		if a[2][TOKEN] ~= b[2][TOKEN] then return a[2][TOKEN] < b[2][TOKEN] end
		return less(a[1], b[1])
	end)
	local function limited(name) return slots[name] or 0, slots[name] and weights[name] or 0 end
	local begin = s.offset
	for _, named in ipairs(processes) do
		local q = named[2]
		q[PHASE] = begin
		redis.call('HSET', processes_key, named[1], pack(q))
		if named[1] == r.process then p[PHASE] = begin end
		begin = fraction(begin + due(vectors[named[1]], limited))
	end
end

-- The grant grows ------------------------------------------------------------

local target, quotas, rest, orders = 0, {}, 0, {}

local function grow()
	replan()
	local free = s.terms.capacity - s.used
	local claimed = claims[1]
	for i = 3, #claims, 3 do claimed = claimed + claims[i + 1] end
	if s.scarce == 0 then
		target = claimed + s.headroom
		if 10 * free >= s.terms.capacity then target = math.max(target, p[GRANT]) end
	else
		local wants = {}
		if count > 0 then
			local names = {}
			for i = 3, #claims, 3 do names[#names + 1] = claims[i] end
			for i, v in ipairs(redis.call('HMGET', limited_key, unpack(names))) do
				if v then
					local a, b = string.match(v, '(%d+) (%d+)')
					wants[names[i]] = { tonumber(a), tonumber(b) }
				end
			end
		end
		local sum
		sum, rest = due(claims, function(name)
			local w = wants[name]
			if w then return w[1], w[2] end
			return 0, 0
		end, quotas)
		target = math.min(claimed, math.floor(sum + p[PHASE] + BLUR))
	end
	target = math.min(target, r.most, s.terms.capacity)
	local more = math.min(target - p[GRANT], free)
	if more > 0 and r.token ~= 0 and s.learning == 0 then
		p[GRANT] = p[GRANT] + more
		s.used = s.used + more
	end
	redis.call('HSET', processes_key, r.process, pack(p))
end

-- Grants to be fenced by this process.
local function order()
	if s.terms.fence == 0 or s.kept == 0 then return end
	local all = redis.call('HGETALL', quarantine_key)
	local open = {}
	for i = 1, #all, 2 do
		local q = cmsgpack.unpack(all[i + 1])
		if q[FENCED] == 0 and q[ASKED] <= s.clock then
			local token, name = string.match(all[i], '^(%d+):(.*)$')
			open[#open + 1] = { tonumber(token), name, all[i], q }
		end
	end
	table.sort(open, function(a, b)
		if a[1] ~= b[1] then return a[1] < b[1] end
		return less(a[2], b[2])
	end)
	for i = 1, math.min(4, #open) do
		local q = open[i][4]
		q[ASKED] = s.clock + math.floor(s.terms.ttl / 2)
		redis.call('HSET', quarantine_key, open[i][3], pack(q))
		orders[#orders + 1] = open[i][2]
		orders[#orders + 1] = whole(open[i][1])
	end
end

if r.leave then
	dismiss(r.process, p)
else
	grow()
	order()
end
local learning = 0
if s.learning > 0 then learning = s.learning - s.clock end
local out = {
	whole(p[TOKEN]), whole(r.leave and 0 or p[GRANT]), whole(target), whole(s.scarce), exact(rest), whole(learning),
	whole(s.used), whole(s.count), whole(#quotas),
}
if r.leave then out[4] = '0' end
for _, q in ipairs(quotas) do out[#out + 1] = exact(q) end
for _, o in ipairs(orders) do out[#out + 1] = o end
return reply(OK, out)
