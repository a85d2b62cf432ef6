-- Gives a new ticket its place in the line. docs/architecture.md says why so.
-- base: not before the largest base that was served; not later than the arrival unless that is more than a turn past
-- it; behind who joined before; and a step behind the owner's latest live ticket, else its last served one.
-- A turn is the time in which every owner that waits is served once, by the sessions that ended lately; a step is a turn
-- over the owner's weight. Order: base less the head start. All in µs of the line's clock, which never goes back.
local UNKNOWN_HOLD_MS, TURN_LEAST, TURN_MOST = 10000, 1000, 3600000000

-- The largest base that was served, and the last one that was given to who had no claim to a later one.
local function line_state()
  local served, joined = string.match(S.line or '', '^(%d+) (%d+)$')
  return tonumber(served) or 0, tonumber(joined) or 0
end

local function remember_line(served, joined)
  S.line = int(served) .. ' ' .. int(joined)
  S.pending = { 'line', S.line }
end

-- `s.id`, `s.owner`; `starts`: nobody waits, so nothing is left to be made up for. Leaves the step in `s`, and what the
-- next event is to write with it. Returns the order.
local function join(s, weight, head_start_ms, starts)
  local fair, own = S.base .. 'fair', S.base .. 'line:' .. s.owner
  local now = S.us - (S.offset - S.lagged) * 1000
  local served, joined = line_state()
  local latest, last
  if starts then
    redis.call('UNLINK', fair, own)
    served, joined = now, 0
  else
    latest = redis.call('ZRANGE', own, -1, -1, 'WITHSCORES')[2]
    last = redis.call('ZSCORE', fair, s.owner)
  end
  local owners = redis.call('ZCARD', fair) + (last and 0 or 1)
  local hold = S.hold > 0 and S.hold or UNKNOWN_HOLD_MS
  local turn = owners * hold * 1000 / math.max(1, redis.call('ZCARD', S.base .. 'containers'))
  turn = math.floor(math.max(TURN_LEAST, math.min(turn, TURN_MOST)))
  s.step = math.max(1, math.floor(turn / weight))

  local from = math.max(served, math.min(now, served + turn), joined + 1)
  local base = math.max(from, latest and latest + s.step or last and tonumber(last) or 0)
  if base == from then
    joined = from
  end
  if not last then
    redis.call('ZADD', fair, int(from), s.owner)
  end
  redis.call('ZADD', own, int(base), s.id)
  remember_line(served, joined)
  return base - head_start_ms * 1000
end

-- Notes that a ticket is served, and takes it out of the line: its owner's next one stands a step behind it. Who has
-- nothing to make up for any more is forgotten. What it leaves is for the next event to write.
local function serve_ticket(s)
  local base = tonumber(redis.call('ZSCORE', S.base .. 'line:' .. s.owner, s.id))
  leave(s.id, s.owner)
  if not base then
    return
  end
  redis.call('ZADD', S.base .. 'fair', 'GT', int(base + s.step), s.owner)
  local served, joined = line_state()
  if base > served then
    redis.call('ZREMRANGEBYSCORE', S.base .. 'fair', '-inf', int(base))
    remember_line(base, joined)
  end
end
