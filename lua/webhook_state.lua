-- Reads how far a webhook's deliveries of a type are, and its youngest dead letters.
--
-- KEYS[1] epoch
-- ARGV[1] webhook
-- ARGV[2] most     how many dead letters; 0 for none
--
-- Outcomes
--   ok  the holder of the lease (or false), how many events are behind, attempts at the next one, why the last one failed (or false), how many letters are dead and how many of them are to be sent again, the dead letters
local webhook = ARGV[1]
local most = tonumber(ARGV[2])

local base = string.sub(KEYS[1], 1, -6)
local state = redis.call('HMGET', base .. 'webhook:' .. webhook, 'holder', 'until', 'epoch', 'sequence', 'attempts', 'error')
local last = redis.call('HMGET', KEYS[1], 'epoch', 'seq')
local time = redis.call('TIME')
local holder = state[1] and state[1] ~= '' and tonumber(state[2]) > time[1] * 1000 and state[1] or false
-- Of an epoch that it has not come to, all of it.
local behind = tonumber(last[2] or 0)
if not state[3] then
  behind = 0
elseif state[3] == last[1] then
  behind = math.max(0, behind - tonumber(state[4]))
end
local letters = {}
if most > 0 then
  letters = redis.call('LRANGE', base .. 'dead:' .. webhook, 0, most - 1)
end
return { 'ok', holder, behind, state[5] or '0', state[6] and state[6] ~= '' and state[6] or false,
  redis.call('LLEN', base .. 'dead:' .. webhook), redis.call('LLEN', base .. 'again:' .. webhook), letters }
