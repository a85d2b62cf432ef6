-- What was decided last about a type's size. Changes nothing.
--
-- KEYS[1] epoch
--
-- Outcomes
--   ok    Redis's clock in ms; how many containers are wanted, why, more in words, and when that was decided by the same clock: each
--         false where nothing was decided yet
local key = string.sub(KEYS[1], 1, -6) .. 'scale'
local time = redis.call('TIME')
local known = redis.call('HMGET', key, 'wanted', 'reason', 'detail', 'at')
return { 'ok', time[1] * 1000 + math.floor(time[2] / 1000), known[1], known[2], known[3], known[4] }
