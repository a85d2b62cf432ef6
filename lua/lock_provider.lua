-- Takes or renews the lock of a provider. The generation grows whenever the holder changes, and is never used again.
--
-- KEYS[1] provider
-- ARGV[1] replica
-- ARGV[2] ttl_ms
-- ARGV[3] above    a generation that was used, which a new one must be above; 0
--
-- Outcomes
--   held  generation
--   busy  holder
local replica = ARGV[1]
local ttl_ms = tonumber(ARGV[2])
local above = tonumber(ARGV[3])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local lock = redis.call('HMGET', KEYS[1], 'holder', 'until', 'generation')
-- A lock that lasts longer than any is one from before the clock was set back.
local free = not lock[1] or lock[1] == '' or tonumber(lock[2]) <= now or tonumber(lock[2]) > now + ttl_ms
if lock[1] ~= replica and not free then
  return { 'busy', lock[1] }
end
local generation = tonumber(lock[3] or 0)
-- A write that needs no memory lets the next one pass when it is full: what is gone must be found out also then.
redis.call('HDEL', KEYS[1], '')
if lock[1] ~= replica or free then
  generation = math.max(generation + 1, above + 1, now)
end
redis.call('HSET', KEYS[1], 'holder', replica, 'until', string.format('%.0f', now + ttl_ms),
  'generation', string.format('%.0f', generation))
return { 'held', generation }
