-- The ends that heartbeats do not put off: `cap`, when a session has lasted as long as allowed, and `idle_end`, when its
-- holder has reported no activity for so long. From when on the holder is warned of each: `lead` before it, and not in
-- the first half of the time.
local function warned_from(s)
  local function from(ends, whole)
    return ends and s.lead and math.floor(ends - math.min(s.lead, (whole or 2 * s.lead) / 2))
  end
  return from(tonumber(s.cap), tonumber(s.most)), from(s.idle_end, s.idle)
end

-- Schedules the first warning after a time, or none.
local function warn_after(s, time)
  if not s.lead then
    return
  end
  local cap, idle = warned_from(s)
  local first = cap and cap > time and cap or nil
  if idle and idle > time then
    first = math.min(first or idle, idle)
  end
  if first then
    redis.call('ZADD', S.base .. 'warnings', int(first), s.id)
    due_at(first)
  else
    redis.call('ZREM', S.base .. 'warnings', s.id)
  end
end

-- A lease begins, of a container and for a span: sets its ends, and remembers the container for the affinity. Returns the
-- expiry; what is new in `s` is the caller's to write: `cap`, `renewed` (as `renew` has it), and `terms` when it is not nil.
local function begin_lease(s, container, span)
  local terms
  if s.most then
    s.cap = int(S.now + tonumber(s.most))
  end
  if s.idle then
    s.idle_end = S.now + s.idle
    terms = write_terms(s)
  end
  warn_after(s, 0)
  if s.affinity then
    redis.call('SET', S.base .. 'affinity:' .. s.owner .. ':' .. s.affinity, container, 'PX', int(S.ended_kept_ms))
  end
  local expiry = math.min(S.now + span, tonumber(s.cap) or math.huge)
  if s.idle_end and s.idle_end < expiry then
    s.renewed = int(expiry)
    expiry = s.idle_end
  end
  return expiry, terms
end
