-- Makes an offered session ready: its lease begins, for its first span.
local function claim(s)
  local expiry = S.now + tonumber(s.span)
  redis.call('ZREM', S.base .. 'offers', s.id)
  S.licensed = true
  local key = S.base .. 'session:' .. s.id
  if s.most then
    s.cap = int(S.now + tonumber(s.most))
    expiry = math.min(expiry, tonumber(s.cap))
    redis.call('HSET', key, 'cap', s.cap)
  end
  redis.call('ZADD', S.base .. 'leases', int(expiry), s.id)
  due_at(expiry)
  s.expiry = expiry
  s.granted = int(S.wall)
  redis.call('HSET', key, 'state', 'ready', 'granted', s.granted)
  s.state = 'ready'
  event('session.ready', 'session', s.id, 'owner', s.owner, 'container', s.container, 'token', s.token)
end
