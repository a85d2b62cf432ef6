-- Ends a recovery whose time is over: what was held may be given out again.
local function recovered()
  if S.pause and not S.recovering then
    licence()
    redis.call('HDEL', KEYS[1], 'pause', 'lost', 'trust', 'doubt', 'proven')
    -- What is not cut off by its reset is made clean now.
    redis.call('HSET', KEYS[1], 'cleanse', '')
    redis.call('UNLINK', S.base .. 'cleared')
    S.pause = nil
    event('recovery.ended')
  end
end
