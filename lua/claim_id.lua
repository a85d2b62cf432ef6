-- Claims a name (an idempotency key, or a session id that a client chose) for a session id; whoever comes first has it.
--
-- KEYS[1] name
-- ARGV[1] value     what the name is to mean
-- ARGV[2] replaces  take it over from this value; '' to claim it only when it is free
-- ARGV[3] keep_ms   how long it is kept from now on
--
-- Outcomes
--   mine    it means `value` now
--   theirs  what it means
local value = ARGV[1]
local replaces = ARGV[2]
local keep_ms = ARGV[3]

local present = redis.call('GET', KEYS[1])
if present and present ~= value and (replaces == '' or present ~= replaces) then
  redis.call('PEXPIRE', KEYS[1], keep_ms)
  return { 'theirs', present }
end
redis.call('SET', KEYS[1], value, 'PX', keep_ms)
return { 'mine' }
