-- Renews a ready session for its TTL from now, or for a time that it was proven to last, never past its longest end; the first time
-- confirms it. Never makes it shorter: in a recovery pool time stood still, and somebody may have been told how much is left since.
-- `active`: its holder reports that it is at work. Where the end for want of activity cuts a renewal short, its record keeps until when
-- it would last: who uses the session meanwhile gives that back.
local function renew(s, lasts, active)
  licence()
  if active then
    used(s)
  end
  local expiry = S.now + (lasts or tonumber(s.ttl))
  if s.cap then
    expiry = math.min(expiry, tonumber(s.cap))
  end
  if s.idle_end and s.idle_end < expiry then
    s.renewed = int(expiry)
    redis.call('HSET', S.base .. 'session:' .. s.id, 'renewed', s.renewed)
    expiry = s.idle_end
  end
  due_at(expiry)
  local longer = redis.call('ZADD', S.base .. 'leases', 'XX', 'GT', 'CH', int(expiry), s.id) == 1
  -- Else `describe` looks it up.
  s.expiry = longer and expiry or nil
  if not s.beat then
    s.beat = '1'
    redis.call('HSET', S.base .. 'session:' .. s.id, 'beat', '1')
  end
end
