-- A container that was found under a name whose last container was in quarantine rests on until its end.
local function rest_on(id, place)
  local known = redis.call('HMGET', S.base .. 'strikes:' .. place, 'ends', 'why')
  local ends = tonumber(known[1])
  if ends and ends > S.now then
    redis.call('HSET', S.base .. 'container:' .. id, 'quarantine', known[2])
    redis.call('ZADD', S.base .. 'quarantine', int(ends), id)
    due_at(ends)
    local by = string.match(known[2], '^by:(.*)$')
    event('container.quarantined', 'container', id, 'why', by and 'operator' or known[2], 'rests_ms', int(ends - S.now),
      unpack(by and { 'by', by } or {}))
  end
end
