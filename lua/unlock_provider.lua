-- Gives the lock of a provider back, if this replica holds it.
--
-- KEYS[1] provider
-- ARGV[1] replica
--
-- Outcomes
--   ok
local replica = ARGV[1]

if redis.call('HGET', KEYS[1], 'holder') == replica then
  redis.call('HDEL', KEYS[1], 'holder')
end
return { 'ok' }
