-- Takes a container from the set that it is in to another; its record says which. Leased containers are in no set of
-- their own: their sessions are in `leases` and `offers`.
-- Scores: `available` by the time freed, so that the longest idle goes first; the others by the time of entry.
local function move(f, to, score)
  if f.set and f.set ~= 'allocated' then
    redis.call('ZREM', S.base .. f.set, f.id)
    if S.recovering then
      redis.call('ZREM', S.base .. 'cleared', f.id)
    end
  end
  if to ~= 'allocated' then
    redis.call('ZADD', S.base .. to, int(score or S.now), f.id)
    local from = S.recovering and to == 'available' and free_from(f)
    if from then
      redis.call('ZADD', S.base .. 'cleared', int(math.max(S.now, from)), f.id)
    end
  end
  f.set = to
end
