-- Removes a container and everything about it; its session, if it has a live one, ends as `container_lost`. Its last
-- token stays as a floor for the type, so that tokens grow also for a container that comes back under its id.
local function forget(f)
  licence()
  local base = S.base
  local s = f.lease and session_of(f.lease)
  for _, set in ipairs({ 'containers', 'available', 'cordoned', 'unhealthy', 'initializing', 'resetting', 'quarantine',
    'cleared', 'draining', 'probes', 'leaving' }) do
    redis.call('ZREM', base .. set, f.id)
  end
  if redis.call('EXISTS', base .. 'definition:' .. f.id) == 0 then
    redis.call('ZREM', base .. 'resets', f.id)
  else
    -- It is being made anew, and that goes on without it.
    redis.call('ZADD', base .. 'resets', 'NX', int(S.now), f.id)
  end
  if f.cordon then
    redis.call('HDEL', base .. 'cordons', f.id)
  end
  redis.call('DEL', base .. 'container:' .. f.id, base .. 'about:' .. f.id)
  if f.token and tonumber(f.token) > S.floor then
    S.floor = tonumber(f.token)
    redis.call('HSET', KEYS[1], 'floor', f.token)
  end
  if s then
    close(s, overdue(s) or 'container_lost')
  end
  event('container.removed', 'container', f.id, 'provider', f.provider)
end
