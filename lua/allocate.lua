-- Makes a session: gives it a container, or a place in the line.
--
-- Safe to repeat: a session id that exists already is answered as it is now, and nothing changes (but a second replica
-- that waits for a queued one is woken as well).
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] session       its id
-- ARGV[6] owner
-- ARGV[7] ttl_ms        what a heartbeat renews it for
-- ARGV[8] span_ms       how long the lease lasts before its first heartbeat
-- ARGV[9] most_ms       the longest the session may hold in all; '' for ever
-- ARGV[10] confirm      '1': it ends as unconfirmed when no heartbeat comes within the span
-- ARGV[11] container    this one and no other; '' for any
-- ARGV[12] ticket_ms    how long a ticket lives without a poll; '0': fail at once
-- ARGV[13] wait_ms      the longest a ticket may wait
-- ARGV[14] head_start_ms  the priority
-- ARGV[15] line_max
-- ARGV[16] replica      the channel that wakes who waits; ''
-- ARGV[17] metadata     ''
-- ARGV[18] idem         the idempotency key to keep alive with the session; ''
--
-- Outcomes
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
local session = ARGV[5]
local owner = ARGV[6]
local ttl_ms = ARGV[7]
local span_ms = ARGV[8]
local most_ms = ARGV[9]
local confirm = ARGV[10]
local container = ARGV[11]
local ticket_ms = tonumber(ARGV[12])
local wait_ms = tonumber(ARGV[13])
local head_start_ms = tonumber(ARGV[14])
local line_max = tonumber(ARGV[15])
local replica = ARGV[16]
local metadata = ARGV[17]
local idem = ARGV[18]

local base = S.base
local refused = open(true)
if refused then
  return refused
end
reclaim()

local known = session_now(session)
if known then
  if known.owner ~= owner then
    return { 'not_found' }
  end
  if known.state == 'queued' then
    listen(known, replica)
  end
  return { 'replayed', describe(known) }
end

local waiting = redis.call('ZCARD', base .. 'queue')
local f
if container ~= '' then
  f = container_now(container)
  if f and (f.set ~= 'available' or held(f)) then
    f = nil
  end
elseif waiting == 0 then
  local first = next_free()
  f = first and facts(first)
end
if S.more and (waiting > 0 or not f) then
  return { 'more' }
end
if not f then
  local left = S.recovering and int(S.pause - S.now)
  if container ~= '' then
    return { 'unavailable', left }
  end
  if ticket_ms == 0 then
    return { 'shortage', left }
  end
  if waiting >= line_max then
    return { 'line_full' }
  end
end

local key = base .. 'session:' .. session
local record = { 'owner', owner, 'created', int(S.wall), 'ttl', ttl_ms, 'span', span_ms }
local function field(name, value)
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
redis.call('ZADD', base .. 'sessions', int(S.wall), session)
redis.call('ZADD', base .. 'owner:' .. owner, int(S.wall), session)
if metadata ~= '' then
  redis.call('SET', base .. 'metadata:' .. session, metadata)
end

if f then
  local lease = grant(f, session)
  local expiry = S.now + tonumber(span_ms)
  if most_ms ~= '' then
    local cap = S.now + tonumber(most_ms)
    expiry = math.min(expiry, cap)
    field('cap', int(cap))
  end
  redis.call('HSET', key, 'state', 'ready', unpack(record))
  redis.call('HSET', key, unpack(lease))
  redis.call('ZADD', base .. 'leases', int(expiry), session)
  event('session.ready', 'session', session, 'owner', owner, 'container', f.id, 'token', f.token)
  return { 'ok', describe(session_of(session)) }
end

local longest = S.now + wait_ms
if replica ~= '' then
  field('replica', replica)
end
redis.call('HSET', key, 'state', 'queued', 'until', int(longest), unpack(record))
-- Order: arrival less the head start, in microseconds of pool time, so that what waits grows in rank.
local arrival = S.us - (S.offset - S.lagged) * 1000
redis.call('ZADD', base .. 'queue', int(arrival - head_start_ms * 1000), session)
redis.call('ZADD', base .. 'tickets', int(math.min(S.now + ticket_ms, longest)), session)
event('session.queued', 'session', session, 'owner', owner)
return { 'queued', describe(session_of(session)) }
