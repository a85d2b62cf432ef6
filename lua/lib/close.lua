-- Ends a session's record and takes it out of every set; the container, if it had one, is the caller's to settle. The
-- event says who did it where an operator did (`s.by`).
local NOBODY = {}

local function close(s, reason)
  local base = S.base
  -- Needs no memory, so what follows is let through.
  if s.state == 'ready' then
    redis.call('ZREM', base .. 'leases', s.id)
    if s.lead then
      redis.call('ZREM', base .. 'warnings', s.id)
    end
  elseif s.state == 'offered' then
    redis.call('ZREM', base .. 'offers', s.id)
  else
    leave(s.id, s.owner)
  end
  S.licensed = true
  redis.call('ZREM', base .. 'sessions', s.id)
  redis.call('ZREM', base .. 'owner:' .. s.owner, s.id)
  local ended = base .. 'ended'
  redis.call('ZADD', ended, int(S.wall), s.id)
  -- By chance one time of eight; sixteen may go then, so the set shrinks in small steps also after a burst.
  if (S.us + S.seq) % 8 == 0 then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', ended, '-inf', int(S.wall - S.ended_kept_ms), 'LIMIT', 0, 16)) do
      redis.call('ZREM', ended, id)
    end
  end
  local key = base .. 'session:' .. s.id
  redis.call('HSET', key, 'state', 'ended', 'ended', int(S.wall), 'reason', reason)
  redis.call('PEXPIRE', key, int(S.ended_kept_ms))
  if s.meta then
    redis.call('PEXPIRE', base .. 'metadata:' .. s.id, int(S.ended_kept_ms))
  end
  if s.state == 'ready' then
    -- The running mean of how long sessions last, for the estimate that a ticket shows.
    local lasted = math.max(0, S.wall - tonumber(s.granted))
    S.hold = S.hold == 0 and lasted or S.hold * 0.9 + lasted * 0.1
    S.pending = { 'hold', int(S.hold) }
  end
  event('session.ended', 'session', s.id, 'owner', s.owner, 'reason', reason,
    'container', s.container or '', 'token', s.token or '', unpack(s.by and { 'by', s.by } or NOBODY))
  s.state = 'ended'
  s.ended = int(S.wall)
  s.reason = reason
end
