-- The container to be given out next: the one that was idle longest; in a recovery, of those that are free. Or nil.
local function next_free()
  if not S.recovering then
    return redis.call('ZRANGE', S.base .. 'available', 0, 0)[1]
  end
  return redis.call('ZRANGEBYSCORE', S.base .. 'cleared', '-inf', int(S.now), 'LIMIT', 0, 1)[1]
end
