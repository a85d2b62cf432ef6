-- In a recovery: takes up leases that were proven, by a lease token or by the journal of a replica; at most 100. What is
-- not known is taken up only from an earlier epoch: what was granted in this one is in the data. A higher fencing token
-- displaces a lower one, and nothing revives a session that is known to have ended. Safe to repeat.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] brief     '1': rows without container and metadata
-- ARGV[6] token_seen  the highest fencing token that the caller knows of
-- ARGV[7...] by eleven: session, owner, container, incarnation, fencing token, epoch, TTL in ms, created, longest end by
--            the clock ('' for none), the time that it lasts in ms ('' for a TTL from now), until when it was known to
--            last by the clock ('' when it lasts now)
--
-- Outcomes, one for each, in their order
--   ok           session row
--   not_found    there is no recovery, it is not from an earlier epoch, or it is another owner's
--   ended        session row
--   lost         its container was restarted or replaced
--   superseded   a lease with a higher fencing token is known
--   lapsed       it was over before the loss, as far as it proves: its container may have been given to somebody since
--
-- Events: session.adopted, session.ended of one that was displaced, and those of what was overdue.
local brief = ARGV[5]
local token_seen = tonumber(ARGV[6])

local refused = open(false)
if refused then
  return refused
end
licence()
reclaim()

local base = S.base

-- Tokens grow past those that were lost with the data, also when the clock is behind.
local function raise_floor(token)
  if S.recovering and token > S.floor then
    S.floor = token
    redis.call('HSET', KEYS[1], 'floor', int(token))
  end
end
raise_floor(token_seen)

-- The one that holds the container by the data, or the claim on one that was not found yet.
local function holder(f, container)
  local id = f and f.lease
  if not f then
    id = redis.call('HGET', base .. 'claims', container)
  end
  return id and session_of(id)
end

local function record(session, owner, f, container, inc, token, ttl, created, longest)
  local key = base .. 'session:' .. session
  redis.call('HSET', key, 'state', 'ready', 'owner', owner, 'created', created, 'ttl', ttl, 'span', ttl, 'beat', '1',
    'container', container, 'inc', inc, 'token', token, 'granted', int(S.wall))
  if longest ~= '' then
    redis.call('HSET', key, 'cap', int(S.now + math.max(0, tonumber(longest) - S.wall)))
  end
  redis.call('ZADD', base .. 'sessions', created, session)
  redis.call('ZADD', base .. 'owner:' .. owner, created, session)
  redis.call('ZADD', base .. 'leases', int(S.now), session)
  if f then
    move(f, 'allocated')
    redis.call('HSET', base .. 'container:' .. container, 'lease', session, 'token', token, 'at', int(S.wall),
      'set', 'allocated', 'inc', inc)
  else
    redis.call('HSET', base .. 'claims', container, session)
  end
  event('session.adopted', 'session', session, 'owner', owner, 'container', container, 'token', token)
end

local function adopt(session, owner, container, inc, token, epoch, ttl, created, longest, lasts, known_until)
  local s = session_now(session)
  if not S.recovering or (s and s.owner ~= owner) then
    return { 'not_found' }
  end
  if s and s.state == 'ended' then
    return { 'ended', describe(s, true) }
  end
  if not s or s.state == 'queued' then
    if epoch == int(S.epoch) then
      return { 'not_found' }
    end
    if known_until ~= '' and tonumber(known_until) < S.lost then
      return { 'lapsed' }
    end
    local f = facts(container)
    if f and f.inc ~= '' and f.inc ~= inc then
      return { 'lost' }
    end
    local rival = holder(f, container)
    local highest = f and f.token or rival and rival.token
    if highest and tonumber(highest) >= tonumber(token) then
      return { 'superseded' }
    end
    if rival then
      close(rival, overdue(rival) or 'superseded')
    end
    leave(session, owner)
    raise_floor(tonumber(token))
    record(session, owner, f, container, inc, token, ttl, created, longest)
    s = session_of(session)
  elseif s.token ~= token then
    return { 'superseded' }
  elseif doubtful(s) and known_until ~= '' and tonumber(known_until) < S.lost then
    finish(s, 'lost_in_recovery')
    return { 'lapsed' }
  elseif s.state == 'offered' then
    claim(s)
  end
  renew(s, tonumber(lasts))
  -- What was signed in this epoch says nothing of the time of the loss.
  local lived = epoch ~= int(S.epoch) and (known_until == '' or tonumber(known_until) >= S.lost)
  if lived and s.proven ~= int(S.epoch) then
    s.proven = int(S.epoch)
    redis.call('HSET', base .. 'session:' .. session, 'proven', s.proven)
    redis.call('HINCRBY', KEYS[1], 'proven', 1)
  end
  return { 'ok', describe(s, brief == '1') }
end

local replies = {}
for at = 7, #ARGV, 11 do
  replies[#replies + 1] = adopt(unpack(ARGV, at, at + 10))
end
return { 'ok', replies }
