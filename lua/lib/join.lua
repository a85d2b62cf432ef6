-- Gives a new ticket its place in the line. docs/architecture.md says why so.
-- The line's virtual time is the largest base that was served; while none is, it goes on as fast as an owner is served
-- when so many wait, for a step at most. base: the virtual time, behind who joined before; and a step over the owner's
-- weight behind its latest live ticket, else behind its last served one. A step is the time between two grants, by the
-- sessions that ended lately. Order: base less the head start, which is worth as much less as the virtual time is slower.
-- All in µs of the line's clock, which never goes back.
local UNKNOWN_HOLD_MS, STEP_LEAST, STEP_MOST = 10000, 1000, 3600000000

-- The largest base that was served, since when, and the last base of who had no claim to a later one.
local function line_state()
  local served, moved, joined = string.match(S.line or '', '^(%d+) (%d+) (%d+)$')
  return tonumber(served) or 0, tonumber(moved) or 0, tonumber(joined) or 0
end

-- Left for the next event to write.
local function remember_line(served, moved, joined)
  S.line = int(served) .. ' ' .. int(moved) .. ' ' .. int(joined)
  S.pending = { 'line', S.line }
end

local function line_time()
  return S.us - (S.offset - S.lagged) * 1000
end

-- `starts`: nobody waits, so nothing is left to be made up for. Leaves the owner's step in `s`. Returns the order.
local function join(s, weight, head_start_ms, starts)
  local fair, own = S.base .. 'fair', S.base .. 'line:' .. s.owner
  local now = line_time()
  local served, moved, joined = line_state()
  local latest, last
  if starts then
    redis.call('UNLINK', fair, own)
    served, moved, joined = now, now, 0
  else
    latest = redis.call('ZRANGE', own, -1, -1, 'WITHSCORES')[2]
    last = redis.call('ZSCORE', fair, s.owner)
  end
  local owners = redis.call('ZCARD', fair) + (last and 0 or 1)
  local hold = S.hold > 0 and S.hold or UNKNOWN_HOLD_MS
  local step = hold * 1000 / math.max(1, redis.call('ZCARD', S.base .. 'containers'))
  step = math.max(STEP_LEAST, math.min(step, STEP_MOST))
  s.step = math.floor(step / weight)

  local from = math.max(served + math.floor(math.max(0, math.min((now - moved) / owners, step))), joined + 1)
  local base = math.max(from, latest and latest + s.step or tonumber(last) or 0)
  if base == from then
    joined = from
  end
  if not last then
    redis.call('ZADD', fair, int(from), s.owner)
  end
  redis.call('ZADD', own, int(base), s.id)
  remember_line(served, moved, joined)
  return base - math.floor(head_start_ms * 1000 / owners)
end

-- Notes that a ticket is served, and takes it out of the line: its owner's next one stands a step behind it. Who has
-- nothing to make up for any more is forgotten.
local function serve_ticket(s)
  local base = tonumber(redis.call('ZSCORE', S.base .. 'line:' .. s.owner, s.id))
  leave(s.id, s.owner)
  if not base then
    return
  end
  redis.call('ZADD', S.base .. 'fair', 'GT', int(base + s.step), s.owner)
  local served, _, joined = line_state()
  if base > served then
    redis.call('ZREMRANGEBYSCORE', S.base .. 'fair', '-inf', int(base))
    remember_line(base, line_time(), joined)
  end
end
