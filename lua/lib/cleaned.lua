-- A container is clean: given out again once a probe that began after this was good, where it is probed.
local function cleaned(f)
  local key = S.base .. 'container:' .. f.id
  redis.call('ZREM', S.base .. 'resets', f.id)
  f.reset, f.restart = nil, nil
  f.probe, f.good, f.bad, f.why = nil, nil, nil, nil
  absolve(f, redis.call('HGET', key, 'made_for'))
  redis.call('HDEL', key, 'reset', 'attempt', 'tries', 'reset_inc', 'reset_why', 'made_for', 'strikes', 'restart', 'probe', 'good', 'bad', 'why')
  f.era = int(tonumber(f.era or 0) + 1)
  redis.call('HSET', key, 'era', f.era)
  if f.probed == '1' then
    redis.call('ZADD', S.base .. 'probes', int(S.now), f.id)
  end
  event('container.reset', 'container', f.id)
  settle(f)
end
