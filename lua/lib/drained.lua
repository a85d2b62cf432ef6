-- Ends the drain of a container that no session has any more. Its cordon stays.
local function drained(f)
  f.drain = nil
  redis.call('ZREM', S.base .. 'draining', f.id)
  redis.call('HDEL', S.base .. 'container:' .. f.id, 'drain')
  event('container.drained', 'container', f.id)
end
