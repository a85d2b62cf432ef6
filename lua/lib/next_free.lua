-- The container to be given out next: the one that was idle longest; in a recovery, of those that are cleared. Or nil.
local function next_free()
  if not S.recovering then
    return redis.call('ZRANGE', S.base .. 'available', 0, 0)[1]
  end
  return S.now >= S.trust and redis.call('ZRANGE', S.base .. 'cleared', 0, 0)[1] or nil
end
