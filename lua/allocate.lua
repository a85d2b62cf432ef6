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
-- ARGV[5...] by twenty:
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
--   weight         how many tickets of the owner are served for each one of weight 1
--   sessions_max   most live sessions of the owner, with those that wait; '' for any number
--   tickets_max    most of them that wait; the same
--   idle_ms        the longest without reported activity; '' for ever
--   lead_ms        how long before its longest end, or one for want of activity, the holder is warned; '' for never
--   affinity       the hash of a word: rather the container that the owner's last session with it had; '' for any
--
-- Outcomes, one for each, in their order
--   ok          session row   it is ready
--   queued      session row   it has a ticket
--   replayed    session row   it was there before, in whatever state
--   shortage     ms           nothing is available, or a line is waiting; the time to the end of a recovery (or false)
--   unavailable  ms           the container asked for is not available; the same
--   line_full
--   quota_exceeded  name      of the quota: sessions_max or tickets_max
--   not_found                 the id belongs to another owner
--   checking                  what could be given is probed first: to be asked again soon
--   more                      overdue ones stand in the way, of which some were ended now: to be asked again at once
--
-- Events: session.ready, session.queued, and those of what was overdue.
local base = S.base
local refused = open(true)
if refused then
  return refused
end
reclaim()

-- A certain container, when it may be given out.
local function free_one(container)
  local f = container_now(container)
  f = f and f.set == 'available' and not held(f) and f or nil
  if f and unclean(f) then
    make_clean(f)
    return nil
  elseif f and stale(f) then
    check_again(f)
    settle(f)
    return nil
  end
  return f
end

-- The container that is given, if there is one; and whether what is overdue stands in the way.
local function find(container, owner, affinity)
  if container ~= '' then
    return free_one(container), S.more
  end
  -- What is available while somebody waits is being offered to the line: only leftovers of that are there.
  if S.more and redis.call('ZCARD', base .. 'queue') > 0 then
    return nil, true
  end
  if affinity ~= '' then
    local last = redis.call('GET', base .. 'affinity:' .. owner .. ':' .. affinity)
    local f = last and free_one(last)
    if f then
      return f
    end
  end
  return next_free(), S.more
end

-- Gives a new ticket its place in the line. docs/architecture.md says why so.
-- The line's virtual time is the largest base that was served; while none is, it goes on as fast as an owner is served
-- when so many wait, for a step at most. base: the virtual time, behind who joined before; and a step over the owner's
-- weight behind its latest live ticket, else behind its last served one. A step is the time between two grants, by the
-- sessions that ended lately. Order: base less the head start, which is worth as much less as the virtual time is slower.
-- All in µs of the line's clock, which never goes back.
local UNKNOWN_HOLD_MS, STEP_LEAST, STEP_MOST = 10000, 1000, 3600000000

-- `starts`: nobody waits, so nothing is left to be made up for. Leaves the owner's step in `s`, and where the line stands
-- for the next event to write (see `serve_ticket`). Returns the order.
local function join(s, weight, head_start_ms, starts)
  local fair, own = base .. 'fair', base .. 'line:' .. s.owner
  local now = S.us - (S.offset - S.lagged) * 1000
  local served, moved, joined = string.match(S.line or '', '^(%d+) (%d+) (%d+)$')
  served, moved, joined = tonumber(served) or 0, tonumber(moved) or 0, tonumber(joined) or 0
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
  local step = hold * 1000 / math.max(1, redis.call('ZCARD', base .. 'containers'))
  step = math.max(STEP_LEAST, math.min(step, STEP_MOST))
  s.step = math.floor(step / weight)

  local from = math.max(served + math.floor(math.max(0, math.min((now - moved) / owners, step))), joined + 1)
  local at = math.max(from, latest and latest + s.step or tonumber(last) or 0)
  if at == from then
    joined = from
  end
  if not last then
    redis.call('ZADD', fair, int(from), s.owner)
  end
  redis.call('ZADD', own, int(at), s.id)
  S.line = table.concat({ int(served), int(moved), int(joined) }, ' ')
  S.pending = { 'line', S.line }
  return at - math.floor(head_start_ms * 1000 / owners)
end

local function allocate(session, owner, ttl_ms, span_ms, most_ms, confirm, container, ticket_ms, wait_ms, head_start_ms,
    line_max, replica, metadata, idem, weight, sessions_max, tickets_max, idle_ms, lead_ms, affinity)
  local key = base .. 'session:' .. session
  if redis.call('HGET', key, 'state') then
    local known = session_now(session)
    if known.owner ~= owner then
      return { 'not_found' }
    end
    if known.state == 'queued' then
      listen(known, replica)
    end
    if doubtful(known) then
      return { 'shortage', int(S.pause - S.now) }
    end
    return { 'replayed', describe(known) }
  end

  if sessions_max ~= '' and redis.call('ZCARD', base .. 'owner:' .. owner) >= tonumber(sessions_max) then
    return S.more and { 'more' } or { 'quota_exceeded', 'sessions_max' }
  end
  local f, more = find(container, owner, affinity)
  local waiting
  if not f then
    if more then
      return { 'more' }
    end
    if (container ~= '' or ticket_ms == '0') and checking() then
      return { 'checking' }
    end
    local left = S.recovering and int(S.pause - S.now)
    if container ~= '' then
      return { 'unavailable', left }
    end
    if ticket_ms == '0' then
      return { 'shortage', left }
    end
    waiting = redis.call('ZCARD', base .. 'queue')
    if waiting >= tonumber(line_max) then
      return { 'line_full' }
    end
    if tickets_max ~= '' and redis.call('ZCARD', base .. 'line:' .. owner) >= tonumber(tickets_max) then
      return { 'quota_exceeded', 'tickets_max' }
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
  local terms
  if idle_ms ~= '' or affinity ~= '' or most_ms ~= '' then
    s.idle, s.affinity = tonumber(idle_ms), affinity ~= '' and affinity or nil
    s.lead = (idle_ms ~= '' or most_ms ~= '') and tonumber(lead_ms) or nil
    terms = write_terms(s)
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
    local changed
    s.expiry, changed = begin_lease(s, f.id, tonumber(span_ms))
    if s.cap then
      field('cap', s.cap)
    end
    if s.renewed then
      field('renewed', s.renewed)
    end
    terms = changed or terms
    if terms then
      field('terms', terms)
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
  -- Only told, and 0 where it is missing.
  if head_start_ms ~= '0' then
    field('head_start', head_start_ms)
  end
  local order = join(s, tonumber(weight), tonumber(head_start_ms), waiting == 0)
  field('terms', write_terms(s))
  redis.call('HSET', key, unpack(record))
  redis.call('ZADD', base .. 'queue', int(order), session)
  redis.call('ZADD', base .. 'tickets', int(expiry), session)
  due_at(expiry)
  event('session.queued', 'session', session, 'owner', owner)
  return { 'queued', describe(s) }
end

local replies = {}
for at = 5, #ARGV, 20 do
  replies[#replies + 1] = allocate(unpack(ARGV, at, at + 19))
end
return { 'ok', replies }
