-- Makes an offered session ready: its lease begins, for its first span.
local function claim(s)
  redis.call('ZREM', S.base .. 'offers', s.id)
  S.licensed = true
  local key = S.base .. 'session:' .. s.id
  local expiry, terms = begin_lease(s, s.container, tonumber(s.span))
  if s.cap then
    redis.call('HSET', key, 'cap', s.cap)
  end
  if s.renewed then
    redis.call('HSET', key, 'renewed', s.renewed)
  end
  if terms then
    redis.call('HSET', key, 'terms', terms)
  end
  redis.call('ZADD', S.base .. 'leases', int(expiry), s.id)
  due_at(expiry)
  s.expiry = expiry
  s.granted = int(S.wall)
  redis.call('HSET', key, 'state', 'ready', 'granted', s.granted)
  s.state = 'ready'
  event('session.ready', 'session', s.id, 'owner', s.owner, 'container', s.container, 'token', s.token)
end
