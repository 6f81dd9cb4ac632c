-- Package fleet's plan.go. It follows sync.lua, whose locals it uses.

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
