-- Keeps what a container is made anew from, before anything is done to it: from here on its reset is work until another
-- one is in its place, also when the container itself goes. What was kept first stays.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] container
-- ARGV[6] attempt
-- ARGV[7] text     the definition, as its provider tells it
--
-- Outcomes
--   ok     the definition that is kept
--   stale  another worker has it, or it was removed
--
-- Events: none.
local container = ARGV[5]
local attempt = ARGV[6]
local text = ARGV[7]

local refused = open(true)
if refused then
  return refused
end
local f = facts(container)
local known = redis.call('HMGET', S.base .. 'container:' .. container, 'attempt', 'tries')
if not f or f.reset ~= 'due' or f.lease or known[1] ~= attempt then
  return { 'stale' }
end
local kept, provider = definition(container)
if not provider then
  redis.call('HSET', kept, 'provider', f.provider, 'text', text, 'attempt', attempt, 'tries', known[2] or '1')
  return { 'ok', text }
end
return { 'ok', redis.call('HGET', kept, 'text') }
