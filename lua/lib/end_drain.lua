-- The deadline of a drain is over: where it is forced, the session that still has the container ends; else the container
-- stays cordoned, and its session goes on.
local function end_drain(id)
  redis.call('ZREM', S.base .. 'draining', id)
  local f = facts(id)
  if not f or not f.drain then
    return
  end
  local s = f.lease and session_now(f.lease)
  if not s or s.state == 'ended' then
    -- It ended just now, and the drain with it.
    return
  end
  if string.sub(f.drain, -1) == '1' then
    finish(s, 'admin')
    return
  end
  redis.call('HDEL', S.base .. 'container:' .. id, 'drain')
  event('container.drain_expired', 'container', id, 'session', s.id)
end
