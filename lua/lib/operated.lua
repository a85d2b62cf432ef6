-- Notes that an operator changed settings or cordons of the type: replicas see another version, and read them again.
-- Versions only grow, also where writes were lost: what is older than a replica knows was lost. Returns the new one.
local function operated()
  local key = S.base .. 'settings'
  local version = int(math.max(tonumber(redis.call('HGET', key, 'version') or 0) + 1, S.us))
  redis.call('HSET', key, 'version', version)
  return version
end
