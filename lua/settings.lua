-- What an operator changed of a type: settings, and which containers are cordoned.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] version  the one that the caller knows; 0: none
--
-- Outcomes
--   same
--   ok      version, names and values of settings in turn, ids and who cordoned them in turn (none when there are more
--           than a thousand)
--   behind  what the caller knows was lost
local version = tonumber(ARGV[5])

local refused = open(false)
if refused then
  return refused
end
local found = tonumber(redis.call('HGET', S.base .. 'settings', 'version') or 0)
if found == version then
  return { 'same' }
elseif found < version then
  return { 'behind' }
end
local cordons = {}
if redis.call('HLEN', S.base .. 'cordons') <= 1000 then
  cordons = redis.call('HGETALL', S.base .. 'cordons')
end
return { 'ok', int(found), redis.call('HGETALL', S.base .. 'settings'), cordons }
