-- Ends a full look: removes the provider's containers that it did not see; at most 100.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] provider
-- ARGV[6] generation
-- ARGV[7] sequence
-- ARGV[8] seen    the number of the full look
--
-- Outcomes
--   ok     how many were removed (100: perhaps more)
--   stale
--
-- Events: session.ended, container.removed.
local provider = ARGV[5]
local generation = tonumber(ARGV[6])
local sequence = tonumber(ARGV[7])
local seen = tonumber(ARGV[8])

local refused = open(false)
if refused then
  return refused
end
local base = mark(provider, generation, sequence)
if not base then
  return { 'stale' }
end
reclaim()
local key = S.base .. 'seen:' .. provider
local ids = redis.call('ZRANGEBYSCORE', key, '-inf', '(' .. int(base + seen), 'LIMIT', 0, 100)
for _, id in ipairs(ids) do
  local f = facts(id)
  if f and f.provider == provider then
    forget(f)
  else
    redis.call('ZREM', key, id)
  end
end
return { 'ok', #ids }
