-- Adds to `changes` that a container is to be made clean before it is given out again, and puts it among the work of
-- the workers: due at once, but in a recovery when whoever else may hold it had the time to prove its lease. The era grows:
-- no probe or worker that began before has a say any more.
local function want_reset(f, changes)
  f.reset = 'due'
  f.era = int(tonumber(f.era or 0) + 1)
  for _, word in ipairs({ 'reset', f.reset, 'era', f.era, 'tries', '0' }) do
    changes[#changes + 1] = word
  end
  local from = S.now
  if S.recovering and (free_from(f) or S.pause) > S.now then
    from = math.max(from, S.trust)
  end
  redis.call('ZADD', S.base .. 'resets', int(from), f.id)
end
