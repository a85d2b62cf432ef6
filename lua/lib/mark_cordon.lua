-- Remembers a cordon beside the container's record, from where replicas learn it: it is to outlive a loss of Redis.
local function mark_cordon(id, by)
  redis.call('HSET', S.base .. 'cordons', id, by)
  operated()
end
