-- The last try to make a container clean failed. It is not given out, and rests before it is tried again: the longer the
-- more often that happened in a row; but no longer than the first time while as many rest as may. It is a strike as well.
local function reset_failed(f, why, rest_ms, longest_ms)
  local key = S.base .. 'container:' .. f.id
  redis.call('ZREM', S.base .. 'resets', f.id)
  local strikes = redis.call('HINCRBY', key, 'strikes', 1)
  local rules = rest_rules(redis.call('HGET', key, 'rules'))
  local rest = math.min(rest_ms * 2 ^ math.min(strikes - 1, 30), longest_ms)
  if rules and full(rules.share) then
    rest = rest_ms
  end
  redis.call('ZADD', S.base .. 'quarantine', 'GT', int(S.now + rest), f.id)
  due_at(S.now + rest)
  f.reset, f.quarantine = 'failed', 'reset'
  redis.call('HSET', key, 'reset', f.reset, 'quarantine', f.quarantine, 'reset_why', why)
  event('container.reset_failed', 'container', f.id, 'why', why, 'rests_ms', int(rest))
  strike(f, 'reset')
  settle(f)
end
