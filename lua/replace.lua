-- Says which container takes the place of one that is made anew: it is not given out before that is done, and has its
-- cordon. Before it is started, so that it never was available without.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] container
-- ARGV[6] attempt
-- ARGV[7] new        the container in its place
--
-- Outcomes
--   ok
--   unseen  discovery has not seen the new one yet
--   stale   another worker has it
--
-- Events: container.cordoned, container.state.
local container = ARGV[5]
local attempt = ARGV[6]
local new = ARGV[7]

local refused = open(false)
if refused then
  return refused
end
local kept, provider = definition(container)
if not provider or redis.call('HGET', kept, 'attempt') ~= attempt then
  return { 'stale' }
end
local n = facts(new)
if not n then
  return { 'unseen' }
end
licence()
redis.call('HSET', kept, 'new', new)
pass_cordon(facts(container), n)
n.replaces = container
settle(n, false, { 'replaces', container })
return { 'ok' }
