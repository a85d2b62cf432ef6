-- Puts a container into quarantine by hand: it is given out no more until it has rested. Its session goes on, and an offer that was
-- made before stays. Whatever share is already there, and whatever it rests for: an operator's word is the last. What comes under its
-- name meanwhile rests on. Safe to repeat: it rests so long from the last call.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] container
-- ARGV[6] by         who does it; at most 60 bytes
-- ARGV[7] rest_ms
--
-- Outcomes
--   ok  container row
--   not_found
--
-- Events: container.quarantined, container.state.
local container = ARGV[5]
local by = ARGV[6]
local rest_ms = tonumber(ARGV[7])

local refused = open(false)
if refused then
  return refused
end
reclaim()
local f = container_now(container)
if not f then
  return { 'not_found' }
end
licence()
local key = S.base .. 'container:' .. f.id
local ends = S.now + rest_ms
f.quarantine = 'by:' .. by
redis.call('HSET', key, 'quarantine', f.quarantine)
redis.call('ZADD', S.base .. 'quarantine', int(ends), f.id)
due_at(ends)
local place = redis.call('HGET', key, 'place')
if place then
  place = S.base .. 'strikes:' .. place
  redis.call('HSET', place, 'ends', int(ends), 'why', f.quarantine)
  redis.call('PEXPIRE', place, int(math.max(rest_ms, redis.call('PTTL', place))))
end
event('container.quarantined', 'container', f.id, 'why', 'operator', 'by', by, 'rests_ms', int(rest_ms))
settle(f)
return { 'ok', describe_container(f) }
