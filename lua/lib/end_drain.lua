-- The deadline of a drain is over: where it is forced, the session that still has the container ends; else the container
-- stays cordoned, and its session goes on.
local function end_drain(id)
  redis.call('ZREM', S.base .. 'draining', id)
  local f = facts(id)
  if not f or not f.drain then
    return
  end
  if not f.lease then
    drained(f)
    return
  end
  local s = session_now(f.lease)
  if s and s.state == 'ended' then
    -- It ended just now, and the drain with it.
    return
  end
  if s and string.sub(f.drain, -1) == '1' then
    finish(s, 'admin')
    return
  end
  redis.call('HDEL', S.base .. 'container:' .. id, 'drain')
  event('container.drain_expired', 'container', id, 'session', f.lease)
end
