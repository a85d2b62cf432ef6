-- Renews a ready session for its TTL from now, never past its longest end; the first time confirms it. With a time it is
-- one that was proven to last so long: that never makes it shorter.
local function renew(s, lasts)
  licence()
  local expiry = S.now + (lasts or tonumber(s.ttl))
  expiry = int(s.cap and math.min(expiry, tonumber(s.cap)) or expiry)
  if lasts then
    redis.call('ZADD', S.base .. 'leases', 'XX', 'GT', expiry, s.id)
  else
    redis.call('ZADD', S.base .. 'leases', 'XX', expiry, s.id)
  end
  if not s.beat then
    s.beat = '1'
    redis.call('HSET', S.base .. 'session:' .. s.id, 'beat', '1')
  end
end
