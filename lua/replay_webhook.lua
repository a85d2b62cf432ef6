-- Has dead letters of a webhook sent again, the oldest first, before what follows in the stream.
--
-- KEYS[1] epoch
-- ARGV[1] webhook
-- ARGV[2] most
--
-- Outcomes
--   ok  how many
local webhook = ARGV[1]
local most = tonumber(ARGV[2])

local base = string.sub(KEYS[1], 1, -6)
local count = 0
while count < most and redis.call('LMOVE', base .. 'dead:' .. webhook, base .. 'again:' .. webhook, 'RIGHT', 'LEFT') do
  count = count + 1
end
return { 'ok', count }
