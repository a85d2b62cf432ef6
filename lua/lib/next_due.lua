local DUE = { 'leases', 'offers', 'tickets', 'quarantine', 'draining', 'warnings' }

-- The earliest time at which there is something to do.
local function next_due()
  local first = 9e15
  for _, set in ipairs(DUE) do
    first = math.min(first, tonumber(redis.call('ZRANGE', S.base .. set, 0, 0, 'WITHSCORES')[2] or first))
  end
  if S.recovering then
    first = math.min(first, S.pause, S.now < S.trust and S.trust or first)
  end
  return first
end
