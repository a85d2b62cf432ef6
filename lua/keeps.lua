-- One page of a type's containers by what they are to their provider: those that a session has, those that are taken away, the rest.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] after  the last id of the page before; ''
-- ARGV[6] most   at most 100
--
-- Outcomes
--   ok          ids of those that a session has or is offered; of those that are taken away; of the rest; then what to give as
--               `after` ('' at the end), and the epoch
--   recovering  it is not known which ones sessions have
local after = ARGV[5]
local most = tonumber(ARGV[6])

local refused = open(false)
if refused then
  return refused
end
if S.recovering then
  return { 'recovering' }
end
local ids = redis.call('ZRANGEBYLEX', S.base .. 'containers', after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, most)
local leased, leaving, idle = {}, {}, {}
for _, id in ipairs(ids) do
  local known = redis.call('HMGET', S.base .. 'container:' .. id, 'lease', 'leaving')
  local among = (known[1] and known[1] ~= '') and leased or (known[2] and leaving or idle)
  among[#among + 1] = id
end
return { 'ok', leased, leaving, idle, #ids == most and ids[#ids] or '', int(S.epoch) }
