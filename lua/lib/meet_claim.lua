-- A container that was proven to be leased before it was found: its lease becomes a fact of it, unless it is not what it
-- was.
local function meet_claim(id, inc)
  local session = redis.call('HGET', S.base .. 'claims', id)
  if not session then
    return
  end
  redis.call('HDEL', S.base .. 'claims', id)
  local s = session_of(session)
  if not s or s.state ~= 'ready' or s.container ~= id then
    return
  end
  local key = S.base .. 'container:' .. id
  redis.call('HSET', key, 'token', s.token)
  if inc ~= '' and inc ~= s.inc then
    close(s, overdue(s) or 'container_lost')
    return
  end
  redis.call('HSET', key, 'lease', session, 'at', s.granted, 'inc', s.inc)
end
