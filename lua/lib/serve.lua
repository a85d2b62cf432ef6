-- Gives what is available to who waits, as far as both last; at most 16. Needed where a container became available
-- and all tickets in reach of `offer` were dead.
local function serve()
  for _ = 1, 16 do
    local id = redis.call('ZRANGE', S.base .. 'available', 0, 0)[1]
    if not id or redis.call('ZCARD', S.base .. 'queue') == 0 then
      return
    end
    local f = facts(id)
    if f then
      offer(f)
    else
      redis.call('ZREM', S.base .. 'available', id)
    end
  end
end
