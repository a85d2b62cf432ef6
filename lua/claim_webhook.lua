-- Takes or renews the lease to deliver a type's events to a webhook, or gives it back.
-- Where nothing was delivered before, it begins with what happens from now on; a type that is younger than a minute begins
-- with its first event. Data that begin with a recovery had others before them, which are told of.
--
-- KEYS[1] epoch
-- ARGV[1] webhook
-- ARGV[2] replica
-- ARGV[3] ttl_ms     0: the lease is given back
--
-- Outcomes
--   held  epoch and sequence of the last event that is done with, attempts at the next one, ms until it may be tried again, and the oldest dead letter that is to be sent again (or false)
--   busy  somebody else holds it
local webhook = ARGV[1]
local replica = ARGV[2]
local ttl_ms = tonumber(ARGV[3])

local base = string.sub(KEYS[1], 1, -6)
local key = base .. 'webhook:' .. webhook
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local state = redis.call('HMGET', key, 'holder', 'until', 'epoch', 'sequence', 'attempts', 'next')
-- A lease that lasts longer than any is one from before the clock was set back.
local others = state[1] and state[1] ~= '' and state[1] ~= replica
if others and tonumber(state[2]) > now and (ttl_ms == 0 or tonumber(state[2]) <= now + ttl_ms) then
  return { 'busy' }
end
local epoch = state[3]
local sequence = state[4]
if not epoch then
  local first = redis.call('XRANGE', base .. 'events', '-', '+', 'COUNT', 1)[1]
  local young = first and string.match(first[1], '%-1$') and now - tonumber(first[2][4]) < 60000
  if young then
    epoch = '0'
    sequence = first[2][2] == 'recovery.began' and '1' or '0'
  else
    local last = redis.call('HMGET', KEYS[1], 'epoch', 'seq')
    epoch = last[1] or '0'
    sequence = last[2] or '0'
  end
end
if ttl_ms == 0 then
  redis.call('HSET', key, 'holder', '')
else
  redis.call('HSET', key, 'holder', replica, 'until', string.format('%.0f', now + ttl_ms), 'epoch', epoch,
    'sequence', sequence)
end
local pause = math.max(0, tonumber(state[6] or 0) - now)
return { 'held', epoch, sequence, state[5] or '0', pause, redis.call('LINDEX', base .. 'again:' .. webhook, -1) }
