-- Reads a type's events after a place in its stream, and says where the stream ends. Changes nothing.
--
-- KEYS[1] epoch
-- ARGV[1] epoch
-- ARGV[2] sequence    with it the place after which to read
-- ARGV[3] most        how many; 0 for none
--
-- Outcomes
--   ok  epoch and sequence of the last event ever written (0 where there are no data), Redis's clock in ms, the events: id and fields of each
local epoch = ARGV[1]
local sequence = ARGV[2]
local most = tonumber(ARGV[3])

local last = redis.call('HMGET', KEYS[1], 'epoch', 'seq')
local time = redis.call('TIME')
local rows = {}
if most > 0 and (last[1] ~= epoch or last[2] ~= sequence) then
  local events = string.sub(KEYS[1], 1, -6) .. 'events'
  rows = redis.call('XRANGE', events, '(' .. epoch .. '-' .. sequence, '+', 'COUNT', most)
end
return { 'ok', last[1] or '0', last[2] or '0', time[1] * 1000 + math.floor(time[2] / 1000), rows }
