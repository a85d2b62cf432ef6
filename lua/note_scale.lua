-- Keeps what was decided about a type's size. An event tells of each change, and of each other reason why there is none.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] replica
-- ARGV[6] memory    what the next decision needs
-- ARGV[7] reason
-- ARGV[8] wanted
-- ARGV[9] change    how many more, or fewer when below 0
-- ARGV[10] told      '1': this reason is told, also where nothing changes
-- ARGV[11] detail    in words; ''
-- ARGV[12] template  what new containers are made like, when that is news; ''
-- ARGV[13] epoch     of the plan
--
-- Outcomes
--   ok
--   lost  another replica has it, or Redis may have lost what it was planned by
--
-- Events: type.scaled.
local replica = ARGV[5]
local memory = ARGV[6]
local reason = ARGV[7]
local wanted = ARGV[8]
local change = ARGV[9]
local told = ARGV[10]
local detail = ARGV[11]
local template = ARGV[12]
local epoch = ARGV[13]

-- How long whoever decided has the type until it decides again. Others wait no longer for one that died in between.
local BETWEEN_ROUNDS_MS = 5000

local refused = open(false)
if refused then
  return refused
end
local key = S.base .. 'scale'
local known = redis.call('HMGET', key, 'by', 'reason')
if known[1] ~= replica or epoch ~= int(S.epoch) then
  return { 'lost' }
end
licence()
redis.call('HSET', key, 'memory', memory, 'reason', reason, 'wanted', wanted, 'detail', detail, 'at', int(S.wall),
  'until', int(S.wall + BETWEEN_ROUNDS_MS))
if template ~= '' then
  redis.call('HSET', key, 'template', template)
end
if change ~= '0' or told == '1' and known[2] ~= reason then
  event('type.scaled', 'reason', reason, 'wanted', wanted, 'change', change, 'detail', detail)
end
return { 'ok' }
