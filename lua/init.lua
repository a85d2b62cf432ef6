-- Marks a Redis as new: what is not in it was not lost. Safe to repeat.
--
-- KEYS[1] types
-- ARGV[1] force  '1': also where something was lost, for who knows that nobody holds anything
--
-- Outcomes
--   marked
--   present  it was marked before
--   used     it has data, or replicas found it unmarked
local force = ARGV[1]

local whole = redis.call('HGET', KEYS[1], ':whole')
if whole == '0' then
  return { 'present' }
end
if force ~= '1' and redis.call('EXISTS', KEYS[1]) == 1 then
  return { 'used' }
end
redis.call('HSET', KEYS[1], ':whole', '0')
return { 'marked' }
