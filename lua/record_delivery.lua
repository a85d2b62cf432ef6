-- Records how a delivery to a webhook went, if its sender still holds the lease: how far it is done, or when to try again.
--
-- KEYS[1] epoch
-- ARGV[1] webhook
-- ARGV[2] replica
-- ARGV[3] epoch
-- ARGV[4] sequence    with it the last event that is done with
-- ARGV[5] attempts    at the next one, so far
-- ARGV[6] pause_ms    until it may be tried again
-- ARGV[7] error       why the last attempt failed; empty when it did not
-- ARGV[8] again       '1': the oldest dead letter that is sent again is done with
-- ARGV[9] dead        the letter that is given up; empty for none
-- ARGV[10] dead_kept  how many dead letters are kept
--
-- Outcomes
--   ok
--   lost  somebody else holds the lease
local webhook = ARGV[1]
local replica = ARGV[2]
local epoch = ARGV[3]
local sequence = ARGV[4]
local attempts = ARGV[5]
local pause_ms = tonumber(ARGV[6])
local error = ARGV[7]
local again = ARGV[8]
local dead = ARGV[9]
local dead_kept = tonumber(ARGV[10])

local base = string.sub(KEYS[1], 1, -6)
local key = base .. 'webhook:' .. webhook
if redis.call('HGET', key, 'holder') ~= replica then
  return { 'lost' }
end
if dead ~= '' then
  redis.call('LPUSH', base .. 'dead:' .. webhook, dead)
  redis.call('LTRIM', base .. 'dead:' .. webhook, 0, dead_kept - 1)
end
if again == '1' then
  redis.call('RPOP', base .. 'again:' .. webhook)
end
local time = redis.call('TIME')
local next = pause_ms > 0 and string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + pause_ms) or '0'
redis.call('HSET', key, 'epoch', epoch, 'sequence', sequence, 'attempts', attempts, 'next', next, 'error', error)
return { 'ok' }
