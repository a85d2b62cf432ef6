-- Changes settings of a type, unless somebody else changed them meanwhile.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] version  what the change was decided on
-- ARGV[6] by       who does it; at most 60 bytes
-- ARGV[7...] by two: name, value ('': as configured)
--
-- Outcomes
--   ok  version
--   changed
--
-- Events: type.changed.
local version = tonumber(ARGV[5])
local by = ARGV[6]

local refused = open(false)
if refused then
  return refused
end
local key = S.base .. 'settings'
if tonumber(redis.call('HGET', key, 'version') or 0) ~= version then
  return { 'changed' }
end
licence()
for at = 7, #ARGV, 2 do
  if ARGV[at + 1] == '' then
    redis.call('HDEL', key, ARGV[at])
  else
    redis.call('HSET', key, ARGV[at], ARGV[at + 1])
  end
end
event('type.changed', 'by', by, unpack(ARGV, 7))
return { 'ok', operated() }
