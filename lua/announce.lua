-- Tells a type of a new generation of a provider's discoverer, before it is used.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] provider
-- ARGV[6] generation
-- ARGV[7] sequence
--
-- Outcomes
--   ok     0
--   stale
local provider = ARGV[5]
local generation = tonumber(ARGV[6])
local sequence = tonumber(ARGV[7])

local refused = open(false)
if refused then
  return refused
end
if not mark(provider, generation, sequence) then
  return { 'stale' }
end
return { 'ok', 0 }
