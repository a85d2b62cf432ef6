-- Makes sessions: gives each a container, or a place in the line; at most 100 in one call.
--
-- Safe to repeat: a session id that exists already is answered as it is now, and nothing changes (but a second replica
-- that waits for a queued one is woken as well).
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5...] by fourteen:
--   session        its id
--   owner
--   ttl_ms         what a heartbeat renews it for
--   span_ms        how long the lease lasts before its first heartbeat
--   most_ms        the longest the session may hold in all; '' for ever
--   confirm        '1': it ends as unconfirmed when no heartbeat comes within the span
--   container      this one and no other; '' for any
--   ticket_ms      how long a ticket lives without a poll; '0': fail at once
--   wait_ms        the longest a ticket may wait
--   head_start_ms  the priority
--   line_max
--   replica        the channel that wakes who waits; ''
--   metadata       ''
--   idem           the idempotency key to keep alive with the session; ''
--
-- Outcomes, one for each, in their order
--   ok          session row   it is ready
--   queued      session row   it has a ticket
--   replayed    session row   it was there before, in whatever state
--   shortage     ms           nothing is available, or a line is waiting; the time to the end of a recovery (or false)
--   unavailable  ms           the container asked for is not available; the same
--   line_full
--   not_found                 the id belongs to another owner
--   more                      overdue ones stand in the way, of which some were ended now: to be asked again at once
--
-- Events: session.ready, session.queued, and those of what was overdue.
local base = S.base
local refused = open(true)
if refused then
  return refused
end
reclaim()

-- The container that is given, if there is one; and whether what is overdue stands in the way.
local function find(container)
  if container ~= '' then
    local f = container_now(container)
    if f and f.set == 'available' and not held(f) then
      return f
    end
    return nil, S.more
  end
  -- What is available while somebody waits is being offered to the line: only leftovers of that are there.
  if S.more and redis.call('ZCARD', base .. 'queue') > 0 then
    return nil, true
  end
  local first = next_free()
  return first and facts(first), S.more
end

local function allocate(session, owner, ttl_ms, span_ms, most_ms, confirm, container, ticket_ms, wait_ms, head_start_ms,
    line_max, replica, metadata, idem)
  local key = base .. 'session:' .. session
  if redis.call('HGET', key, 'state') then
    local known = session_now(session)
    if known.owner ~= owner then
      return { 'not_found' }
    end
    if known.state == 'queued' then
      listen(known, replica)
    end
    return { 'replayed', describe(known) }
  end

  local f, more = find(container)
  if not f then
    if more then
      return { 'more' }
    end
    local left = S.recovering and int(S.pause - S.now)
    if container ~= '' then
      return { 'unavailable', left }
    end
    if ticket_ms == '0' then
      return { 'shortage', left }
    end
    if redis.call('ZCARD', base .. 'queue') >= tonumber(line_max) then
      return { 'line_full' }
    end
  end

  local s = { id = session, owner = owner, created = int(S.wall), ttl = ttl_ms, f = f }
  local record = { 'owner', owner, 'created', s.created, 'ttl', ttl_ms, 'span', span_ms }
  local function field(name, value)
    s[name] = value
    record[#record + 1] = name
    record[#record + 1] = value
  end
  if confirm == '1' then
    field('confirm', '1')
  end
  if most_ms ~= '' then
    field('most', most_ms)
  end
  if idem ~= '' then
    field('idem', idem)
    field('idem_at', int(S.now))
  end
  -- The first write: it needs memory, and is refused when there is none.
  redis.call('ZADD', base .. 'sessions', s.created, session)
  redis.call('ZADD', base .. 'owner:' .. owner, s.created, session)
  if metadata ~= '' then
    field('meta', '1')
    redis.call('SET', base .. 'metadata:' .. session, metadata)
  end

  if f then
    local lease = grant(f, session)
    s.expiry = S.now + tonumber(span_ms)
    if most_ms ~= '' then
      local cap = S.now + tonumber(most_ms)
      s.expiry = math.min(s.expiry, cap)
      field('cap', int(cap))
    end
    field('state', 'ready')
    for at = 1, #lease, 2 do
      field(lease[at], lease[at + 1])
    end
    redis.call('HSET', key, unpack(record))
    redis.call('ZADD', base .. 'leases', int(s.expiry), session)
    due_at(s.expiry)
    event('session.ready', 'session', session, 'owner', owner, 'container', f.id, 'token', f.token)
    return { 'ok', describe(s) }
  end

  local longest = S.now + tonumber(wait_ms)
  local expiry = math.min(S.now + tonumber(ticket_ms), longest)
  if replica ~= '' then
    field('replica', replica)
  end
  field('state', 'queued')
  field('until', int(longest))
  redis.call('HSET', key, unpack(record))
  -- Order: arrival less the head start, in microseconds of pool time, so that what waits grows in rank.
  local arrival = S.us - (S.offset - S.lagged) * 1000
  redis.call('ZADD', base .. 'queue', int(arrival - tonumber(head_start_ms) * 1000), session)
  redis.call('ZADD', base .. 'tickets', int(expiry), session)
  due_at(expiry)
  event('session.queued', 'session', session, 'owner', owner)
  return { 'queued', describe(s) }
end

local replies = {}
for at = 5, #ARGV, 14 do
  replies[#replies + 1] = allocate(unpack(ARGV, at, at + 13))
end
return { 'ok', replies }
