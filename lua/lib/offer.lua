-- Offers a container that is available to the first live ticket, and wakes its replica. At most 16 dead tickets are
-- ended on the way; past them the line is served by the next script. Returns whether somebody took it.
local function offer(f)
  local queue = S.base .. 'queue'
  for _ = 1, 16 do
    local first = redis.call('ZRANGE', queue, 0, 0)[1]
    if not first then
      return false
    end
    local s = session_of(first)
    local expiry = redis.call('ZSCORE', S.base .. 'tickets', first)
    if not s or s.state ~= 'queued' then
      redis.call('ZREM', queue, first)
      redis.call('ZREM', S.base .. 'tickets', first)
    elseif not expiry or tonumber(expiry) <= S.now then
      close(s, 'ticket_expired')
    else
      redis.call('ZREM', queue, first)
      redis.call('ZREM', S.base .. 'tickets', first)
      grant(f, first)
      redis.call('ZADD', S.base .. 'offers', int(S.now + S.confirm_ms), first)
      redis.call('HSET', S.base .. 'session:' .. first, 'state', 'offered', 'container', f.id, 'token', f.token, 'granted', f.at)
      event('session.offered', 'session', first, 'owner', s.owner, 'container', f.id, 'token', f.token)
      for channel in string.gmatch(s.replica or '', '[^,]+') do
        redis.call('PUBLISH', channel, first)
      end
      return true
    end
  end
  return false
end
