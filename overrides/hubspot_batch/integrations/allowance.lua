-- The rule of a shared allowance, in one step of Redis or Valkey.
--
-- It is `allowance_rule.py`, line by line, which explains it; a test holds the two to the same
-- replies. KEYS[1]: the state. ARGV[1]: the request as JSON. Optional ARGV[2]: the time in
-- milliseconds, for that test; the server's own otherwise.

local MARGIN, CONFIRM_AFTER, CATCH_UP, ONE_FREE_IN, GROWTH_PERIOD = 50, 1000, 4, 95, 1000
local GROWING_MORE, FIRST_BURST = 3, 0.5
local SMALL_LIMIT, DAY_VALID, ASK_AGAIN, RECONNECT_TIME, AGREEING = 20, 900000, 50, 1300, 3

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
    created = now, now = now, starts = {}, begun = 0, next_even = 0, paused_until = 0, others = {}, requests = 0,
    milliseconds = 0, said = {}, left_today = -1, left_at = 0, day_reported_at = 0, day_is_reported = true, reserve = -1,
    workers = {},
  }
end
if 0 < ask.expires and ask.expires < now then
  if state.created == now then redis.call('SET', KEYS[1], cjson.encode(state), 'PX', 3600000) end
  return {now, 0, -1, state.created, state.paused_until, 0, 0, 0, 0}
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

local function note_others(count)
  local said = {{now, count}}
  for at = #(state.said or {}), 1, -1 do
    if state.said[at][1] > now - GROWTH_PERIOD and #said < AGREEING then
      table.insert(said, 1, state.said[at])
      count = math.min(count, state.said[at][2])
    end
  end
  state.said = said
  local second = now - now % GROWTH_PERIOD
  local last = state.others[#state.others]
  if last and last[1] == second then
    last[2] = math.max(last[2], count)
  else
    table.insert(state.others, {second, count})
  end
end

local function learn(report)
  local start, requests, milliseconds = report[1], report[2], report[3]
  local left, left_today, refused_for, delay = report[4], report[5], report[6], report[7] or 0
  local began, later = start, #starts - until_(start)
  if delay > 0 and remove(start) then
    start = start + delay
    insert(start)
  end
  if requests > 0 and milliseconds > 0 then
    state.requests, state.milliseconds = requests, milliseconds
    if left >= 0 and start >= state.created and start > (state.incomplete_until or 0) then
      local ours = until_(start + MARGIN) - until_(began - milliseconds - MARGIN)
      note_others(math.max(0, requests - left - ours))
    end
  end
  if refused_for > 0 then
    state.paused_until = math.max(state.paused_until, now + refused_for)
    if ask.learns then remove(start) end
    for at = #starts, until_(now + CONFIRM_AFTER) + 1, -1 do table.remove(starts, at) end
  end
  state.day_is_reported = left_today >= 0 or (requests < 0 and state.day_is_reported)
  if left_today >= 0 then
    local rest = math.max(0, left_today - later)
    if state.left_today >= 0 and began <= state.day_reported_at then
      rest = math.min(rest, state.left_today)
    else
      state.day_reported_at = began
    end
    state.left_today, state.left_at = rest, now
  end
end

if ask.known_state ~= 0 and ask.known_state ~= state.created then
  local lost = math.max(ask.milliseconds, state.milliseconds, 10000) + MARGIN
  state.paused_until = math.max(state.paused_until, state.created + lost)
end
for _, ago in ipairs(ask.offline) do insert(now - ago) end
if #ask.offline > 0 then
  if now > (state.incomplete_until or 0) + math.max(ask.milliseconds, state.milliseconds) then
    state.paused_until = math.max(state.paused_until, now + RECONNECT_TIME)
  end
  state.incomplete_until = now + RECONNECT_TIME
end
local given, free = {}, {}
for _, start in ipairs(state.free or {}) do given[start] = true end
if ask.known_state == state.created then
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
  if one[1] > now - (state.milliseconds + GROWTH_PERIOD) then
    table.insert(seen, one)
    others = math.max(others, one[2])
  end
end
state.others = seen
local left_free
if others == 0 then
  left_free = math.floor(limits[1][1] / ONE_FREE_IN)
  if left_free == 0 and limits[1][1] >= SMALL_LIMIT then left_free = 1 end
else
  local before
  for _, one in ipairs(seen) do
    if one[1] <= now - GROWTH_PERIOD then before = math.max(before or 0, one[2]) end
  end
  local growth = others - (before or others)
  left_free = growth > 0 and 2 * growth + GROWING_MORE or 1
end
local allowed = math.max(1, limits[1][1] - others - left_free)
local span = limits[1][2] + MARGIN
if others > 0 then
  for at = math.max(until_(now + CONFIRM_AFTER), allowed) + 1, #starts do
    if starts[at] - starts[at - allowed] < limits[1][2] then
      for last = #starts, at, -1 do table.remove(starts, last) end
      break
    end
  end
end

local function next_start()
  local count, last = #starts, now
  local moment = math.max(now, state.paused_until)
  if count == 0 then
    state.begun = now
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
  local finish = state.begun + span
  local burst = state.begun == state.created and 1 or allowed * FIRST_BURST
  if moment >= finish then
    moment = math.max(moment, math.ceil(state.next_even - CATCH_UP * span / allowed))
  elseif burst <= count and count < allowed then
    moment = math.max(moment, math.ceil(last + (finish - last) / (allowed - count + 1)))
  end
  return moment
end

-- The next start, or when to ask again.
local function give_start()
  local promised = ask.known_state == state.created and ask.promised or 0
  if promised ~= 0 and remove(promised) then
    if state.paused_until <= now and now <= promised + MARGIN then
      insert(promised)
      return promised, 0
    end
    if state.paused_until <= now and (#starts == 0 or starts[#starts] < promised + span) then
      insert(now)
      return now, 0
    end
  elseif state.reserve >= 0 then
    if now - state.left_at > DAY_VALID then state.left_today = -1 end
    if state.left_today >= 0 then
      if state.left_today <= state.reserve then return 0, 0 end
    elseif state.day_is_reported and #starts > 0 then
      return 0, now + ASK_AGAIN
    end
  end
  while #free > 0 and not limits[2] do
    local first = table.remove(free, 1)
    local at = until_(first)
    if first >= state.paused_until and at > 0 and starts[at] == first then return first, 0 end
  end
  local start = next_start()
  if start > now + span and others > 0 then return 0, now + math.floor(span / 4) end
  if promised == 0 and state.left_today >= 0 then state.left_today = state.left_today - 1 end
  table.insert(starts, start)
  state.next_even = math.max(state.next_even, start) + math.floor(span / allowed)
  return start, 0
end

local start, again = 0, 0
if ask.wants then start, again = give_start() end

-- It expires when nothing in it matters any more, and an hour after the last request.
local life = math.max(3600000, (starts[#starts] or now) - now + 2 * longest, state.paused_until - now)
redis.call('SET', KEYS[1], cjson.encode(state), 'PX', math.ceil(life))
return {now, start, again, state.created, state.paused_until, size, allowed, limits[1][2], state.begun + span}
