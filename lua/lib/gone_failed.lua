-- The last try to make a container anew failed, and the container itself is gone: there is no record that could rest, so
-- its work does.
local function gone_failed(id, why, rest_ms, longest_ms)
  local kept = definition(id)
  local strikes = redis.call('HINCRBY', kept, 'strikes', 1)
  local rest = math.min(rest_ms * 2 ^ math.min(strikes - 1, 30), longest_ms)
  redis.call('HSET', kept, 'tries', '0')
  redis.call('HDEL', kept, 'attempt')
  redis.call('ZADD', S.base .. 'resets', int(S.now + rest), id)
  event('container.reset_failed', 'container', id, 'why', why, 'rests_ms', int(rest))
end
