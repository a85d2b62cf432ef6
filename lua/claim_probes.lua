-- Claims probes that are due. Each is due again an interval later, whoever claims it then.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] most         at most 100
-- ARGV[6] interval_ms
--
-- Outcomes
--   ok  rows of id, era, about, and when that was by the clock
local most = tonumber(ARGV[5])
local interval_ms = tonumber(ARGV[6])

local refused = open(false)
if refused then
  return refused
end
reclaim()
local rows = {}
for at, id in ipairs(redis.call('ZRANGEBYSCORE', S.base .. 'probes', '-inf', int(S.now), 'LIMIT', 0, most)) do
  licence()
  local f = facts(id)
  if f then
    -- Give or take a tenth, so that containers found together are not probed together for ever.
    local jitter = ((S.us + at * 7919) % 2001 - 1000) / 10000
    redis.call('ZADD', S.base .. 'probes', int(S.now + interval_ms * (1 + jitter)), id)
    rows[#rows + 1] = { id, f.era, redis.call('GET', S.base .. 'about:' .. id), int(S.wall) }
  else
    redis.call('ZREM', S.base .. 'probes', id)
  end
end
return { 'ok', rows }
