-- Makes a target type known, and says whether it is new: whoever finds no data for one that was known has lost them.
-- A type is new where none of its name was known, and the list of types is known to be whole: `init` says so for a new
-- Redis. A list that begins without it counts as whole once the longest lease of a list before it must be over.
--
-- KEYS[1] types
-- ARGV[1] target_type
-- ARGV[2] wait_ms  the longest that a holder may go on
--
-- Outcomes
--   new    when it was met, in ms
--   known  when it was looked for, in ms
local target_type = ARGV[1]
local wait_ms = tonumber(ARGV[2])

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function text(number)
  return string.format('%.0f', number)
end
local known = redis.call('HMGET', KEYS[1], ':whole', target_type)
local whole = tonumber(known[1])
if not whole then
  whole = now + wait_ms
  redis.call('HSET', KEYS[1], ':whole', text(whole))
end
local met = tonumber(known[2])
if not met then
  met = now >= whole and now or 0
  redis.call('HSET', KEYS[1], target_type, text(met))
end
-- Everybody who comes at once with the first finds it new.
if met > 0 and now >= met and now - met <= 10000 then
  return { 'new', text(met) }
end
return { 'known', text(now) }
