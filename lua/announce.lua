-- Tells a type which generation of a provider's discoverer is the present one: before it is used, and at each full look.
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
--   ok     epoch; a fencing token that none granted yet is above; when Redis ever lost anything, the time since the latest loss
--          was found, in ms of pool time, and the epoch that began with it (or false twice); 1 in a recovery (or 0)
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
-- What versions before this one kept of full looks.
redis.call('UNLINK', S.base .. 'seen:' .. provider)
local found = S.loss and redis.call('HGET', KEYS[1], 'found')
return { 'ok', int(S.epoch), int(math.max(S.us, S.floor)), found and int(S.now - tonumber(found)) or false,
  found and int(S.loss) or false, S.recovering and 1 or 0 }
