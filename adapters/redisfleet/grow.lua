-- State.grow and what follows. It comes after plan.lua.

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
