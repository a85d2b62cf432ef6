-- Notes that an operator changed settings or cordons of the type: replicas see another version, and read them again.
-- Versions only grow, also where writes were lost: what is older than a replica knows was lost. So the new one is also above one that a
-- caller knows (`known`), for the clock may be behind it. Returns the new one.
local function operated(known)
  local key = S.base .. 'settings'
  local version = int(math.max(tonumber(redis.call('HGET', key, 'version') or 0) + 1, S.us, (known or 0) + 1))
  redis.call('HSET', key, 'version', version)
  return version
end
