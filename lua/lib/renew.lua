-- Renews a ready session for its TTL from now, never past its longest end; the first time confirms it. With a time it is
-- one that was proven to last so long: that never makes it shorter. `active`: its holder reports that it is at work.
local function renew(s, lasts, active)
  licence()
  if active and s.idle then
    s.idle_end = S.now + s.idle
    redis.call('HSET', S.base .. 'session:' .. s.id, 'terms', write_terms(s))
    warn_after(s, S.now)
  end
  local expiry = S.now + (lasts or tonumber(s.ttl))
  if s.cap then
    expiry = math.min(expiry, tonumber(s.cap))
  end
  if s.idle_end then
    expiry = math.min(expiry, s.idle_end)
  end
  due_at(expiry)
  if lasts then
    redis.call('ZADD', S.base .. 'leases', 'XX', 'GT', int(expiry), s.id)
  else
    redis.call('ZADD', S.base .. 'leases', 'XX', int(expiry), s.id)
    s.expiry = expiry
  end
  if not s.beat then
    s.beat = '1'
    redis.call('HSET', S.base .. 'session:' .. s.id, 'beat', '1')
  end
end
