-- Records how the last full look at a provider went, unless a newer generation has looked.
--
-- KEYS[1] provider
-- ARGV[1] generation
-- ARGV[2] asked    how often a look had been asked for when it began
-- ARGV[3] error    '' when it succeeded
--
-- Outcomes
--   ok
--   stale
local generation = tonumber(ARGV[1])
local asked = tonumber(ARGV[2])
local error = ARGV[3]

if tonumber(redis.call('HGET', KEYS[1], 'generation') or 0) > generation then
  return { 'stale' }
end
-- A write that needs no memory lets the next one pass when it is full.
redis.call('HDEL', KEYS[1], '')
if error == '' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', KEYS[1], 'looked', string.format('%.0f', now), 'answered', asked)
  redis.call('HDEL', KEYS[1], 'error')
else
  redis.call('HSET', KEYS[1], 'error', error)
end
return { 'ok' }
