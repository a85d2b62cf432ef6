-- Claims the scaling of a type for a while, or goes on with it, and tells what is needed to decide.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] replica
-- ARGV[6] hold_ms
--
-- Outcomes
--   ok    pool time and Redis's own in ms; leases, offers, tickets; containers, unhealthy ones, cordoned ones, those that are being taken
--         away; what was remembered, why it was decided so, and what new ones are made like (or false); ids of those that are
--         being taken away; the epoch
--   busy  another replica has it
local replica = ARGV[5]
local hold_ms = tonumber(ARGV[6])

local refused = open(false)
if refused then
  return refused
end
reclaim()
local key = S.base .. 'scale'
local known = redis.call('HMGET', key, 'by', 'until', 'memory', 'reason', 'template')
local lasts = tonumber(known[2] or 0)
-- A claim that lasts longer than any is from before the clock was set back.
if known[1] and known[1] ~= replica and lasts > S.wall and lasts <= S.wall + hold_ms then
  return { 'busy' }
end
licence()
redis.call('HSET', key, 'by', replica, 'until', int(S.wall + hold_ms))
local function size(set)
  return redis.call('ZCARD', S.base .. set)
end
return { 'ok', int(S.now), int(S.wall), size('leases'), size('offers'), size('tickets'), size('containers'), size('unhealthy'),
  redis.call('HLEN', S.base .. 'cordons'), size('leaving'), known[3], known[4], known[5],
  redis.call('ZRANGE', S.base .. 'leaving', 0, 99), int(S.epoch) }
