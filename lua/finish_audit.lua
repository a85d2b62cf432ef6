-- Ends the audit of a type: what it found is kept for metrics until the next one ends.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] replica
-- ARGV[6...] by two: kind of fault, how many were found
--
-- Outcomes
--   ok
--   lost  another replica has the claim
local replica = ARGV[5]

local refused = open(false)
if refused then
  return refused
end
local key = S.base .. 'audit'
if redis.call('HGET', key, 'by') ~= replica then
  return { 'lost' }
end
redis.call('DEL', key)
redis.call('HSET', key, 'finished', int(S.wall), unpack(ARGV, 6))
return { 'ok' }
