-- Renews a ready session for its TTL from now, never past its longest end; the first time confirms it.
local function renew(s)
  licence()
  local expiry = S.now + tonumber(s.ttl)
  redis.call('ZADD', S.base .. 'leases', 'XX', int(s.cap and math.min(expiry, tonumber(s.cap)) or expiry), s.id)
  if not s.beat then
    s.beat = '1'
    redis.call('HSET', S.base .. 'session:' .. s.id, 'beat', '1')
  end
end
