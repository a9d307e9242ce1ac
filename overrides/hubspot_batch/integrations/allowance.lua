-- The rule of a shared allowance, in one step of Redis or Valkey.
--
-- It is `allowance_rule.py`, line by line, which explains it; a test holds the two to the same
-- replies. KEYS[1]: the state. ARGV[1]: the request as JSON. Optional ARGV[2]: the time in
-- milliseconds, for that test; the server's own otherwise.

local MARGIN, HELD, LATE, NEWCOMER, RECENT = 50, 1000, 4, 95, 1000
local FEW, DAY_KNOWN, LOOK_AGAIN, FOUND = 20, 900000, 50, 1300

local ask = cjson.decode(ARGV[1])
local now
if ARGV[2] then
  now = tonumber(ARGV[2])
else
  local time = redis.call('TIME')
  now = time[1] * 1000 + math.floor(time[2] / 1000)
end

local kept = redis.call('GET', KEYS[1])
local state = kept and cjson.decode(kept) or nil
if not state or now < state.now then
  state = {
    born = now, now = now, starts = {}, since = 0, due = 0, closed = 0, others = {}, requests = 0,
    milliseconds = 0, left_today = -1, left_at = 0, heard = 0, told_today = true, reserve = -1,
    workers = {},
  }
end
if 0 < ask.expires and ask.expires < now then
  if state.born == now then redis.call('SET', KEYS[1], cjson.encode(state), 'PX', 3600000) end
  return {now, 0, -1, state.born, state.closed, 0, 0, 0, 0}
end
state.now = now
local starts = state.starts

-- How many starts are at a moment or before it.
local function until_(moment)
  local low, high = 1, #starts + 1
  while low < high do
    local middle = math.floor((low + high) / 2)
    if starts[middle] <= moment then low = middle + 1 else high = middle end
  end
  return low - 1
end

local function insert(start)
  table.insert(starts, until_(start) + 1, start)
end

local function remove(start)
  local at = until_(start)
  if start > 0 and at > 0 and starts[at] == start then
    table.remove(starts, at)
    return true
  end
  return false
end

local function see(count)
  local second = now - now % RECENT
  local last = state.others[#state.others]
  if last and last[1] == second then
    last[2] = math.max(last[2], count)
  else
    table.insert(state.others, {second, count})
  end
end

local function learn(report)
  local start, requests, milliseconds = report[1], report[2], report[3]
  local left, left_today, refused_for = report[4], report[5], report[6]
  if requests > 0 and milliseconds > 0 then
    state.requests, state.milliseconds = requests, milliseconds
    if left >= 0 and start >= state.born and start > (state.partial or 0) then
      local ours = until_(start + MARGIN) - until_(start - milliseconds - MARGIN)
      see(math.max(0, requests - left - ours))
    end
  end
  if refused_for > 0 then
    state.closed = math.max(state.closed, now + refused_for)
    if ask.learns then remove(start) end
    for at = #starts, until_(now + HELD) + 1, -1 do table.remove(starts, at) end
  end
  state.told_today = left_today >= 0 or (requests < 0 and state.told_today)
  if left_today >= 0 then
    local rest = math.max(0, left_today - (#starts - until_(start)))
    if state.left_today >= 0 and start <= state.heard then
      rest = math.min(rest, state.left_today)
    else
      state.heard = start
    end
    state.left_today, state.left_at = rest, now
  end
end

if ask.born ~= 0 and ask.born ~= state.born then
  local lost = math.max(ask.milliseconds, state.milliseconds, 10000) + MARGIN
  state.closed = math.max(state.closed, state.born + lost)
end
for _, ago in ipairs(ask.alone) do insert(now - ago) end
if #ask.alone > 0 then
  if now > (state.partial or 0) + math.max(ask.milliseconds, state.milliseconds) then
    state.closed = math.max(state.closed, now + FOUND)
  end
  state.partial = now + FOUND
end
local given, free = {}, {}
for _, start in ipairs(state.free or {}) do given[start] = true end
if ask.born == state.born then
  for _, start in ipairs(ask.unused) do given[start] = true end
end
for start in pairs(given) do
  if start >= now then table.insert(free, start) end
end
table.sort(free)
state.free = free
for _, report in ipairs(ask.reports) do learn(report) end

local limits = {{ask.requests, ask.milliseconds}}
if state.requests > 0 then
  table.insert(limits, 1, {state.requests, state.milliseconds})
  if ask.learns then limits[2] = nil end
end
local longest = 0
for _, limit in ipairs(limits) do longest = math.max(longest, limit[2] + MARGIN) end
local old = until_(now - longest)
if old > 0 then
  local young = {}
  for at = old + 1, #starts do table.insert(young, starts[at]) end
  starts, state.starts = young, young
end

state.workers[ask.worker] = now
local workers, size = {}, 0
for name, seen in pairs(state.workers) do
  if now - seen < 2 * longest then
    workers[name] = seen
    size = size + 1
  end
end
state.workers = workers
state.reserve = math.max(state.reserve, ask.reserve)

local seen, others = {}, 0
for _, one in ipairs(state.others) do
  if one[1] > now - (state.milliseconds + RECENT) then
    table.insert(seen, one)
    others = math.max(others, one[2])
  end
end
state.others = seen
local left_free
if others == 0 then
  left_free = math.floor(limits[1][1] / NEWCOMER)
  if left_free == 0 and limits[1][1] >= FEW then left_free = 1 end
else
  local before
  for _, one in ipairs(seen) do
    if one[1] <= now - RECENT then before = math.max(before or 0, one[2]) end
  end
  local growth = others - (before or others)
  left_free = growth > 0 and growth + 3 or 1
end
local allowed = math.max(1, limits[1][1] - others - left_free)
local span = limits[1][2] + MARGIN

local function next_start()
  local count, last = #starts, now
  local moment = math.max(now, state.closed)
  if count == 0 then
    state.since = now
  else
    last = starts[count]
    moment = math.max(moment, last)
  end
  for number, limit in ipairs(limits) do
    local most = number == 1 and allowed or limit[1]
    if count >= most then
      moment = math.max(moment, starts[count - most + 1] + limit[2] + MARGIN)
    end
  end
  local finish = state.since + span
  local burst = state.since == state.born and 1 or allowed / 2
  if moment >= finish then
    moment = math.max(moment, math.ceil(state.due - LATE * span / allowed))
  elseif burst <= count and count < allowed then
    moment = math.max(moment, math.ceil(last + (finish - last) / (allowed - count + 1)))
  end
  return moment
end

-- The next start, or when to ask again.
local function give()
  local held = ask.born == state.born and ask.held or 0
  if held ~= 0 and remove(held) then
    if state.closed <= now and now <= held + MARGIN then
      insert(held)
      return held, 0
    end
    if state.closed <= now and (#starts == 0 or starts[#starts] < held + span) then
      insert(now)
      return now, 0
    end
  elseif state.reserve >= 0 then
    if now - state.left_at > DAY_KNOWN then state.left_today = -1 end
    if state.left_today >= 0 then
      if state.left_today <= state.reserve then return 0, 0 end
    elseif state.told_today and #starts > 0 then
      return 0, now + LOOK_AGAIN
    end
  end
  while #free > 0 and not limits[2] do
    local first = table.remove(free, 1)
    local at = until_(first)
    if first >= state.closed and at > 0 and starts[at] == first then return first, 0 end
  end
  local start = next_start()
  if start > now + span and others > 0 then return 0, now + math.floor(span / 4) end
  if held == 0 and state.left_today >= 0 then state.left_today = state.left_today - 1 end
  table.insert(starts, start)
  state.due = math.max(state.due, start) + math.floor(span / allowed)
  return start, 0
end

local start, again = 0, 0
if ask.wants then start, again = give() end

-- It expires when nothing in it matters any more, and an hour after the last request.
local life = math.max(3600000, (starts[#starts] or now) - now + 2 * longest, state.closed - now)
redis.call('SET', KEYS[1], cjson.encode(state), 'PX', math.ceil(life))
return {now, start, again, state.born, state.closed, size, allowed, limits[1][2], state.since + span}
