-- One page of a type's containers, by id; or of those that are available, longest idle first.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] available_only  '1'
-- ARGV[6] after           the last id (or rank, of available ones) of the page before; ''
-- ARGV[7] most            at most 100
--
-- Outcomes
--   ok  container rows, then what to give as `after` ('' at the end)
local available_only = ARGV[5]
local after = ARGV[6]
local most = tonumber(ARGV[7])

local refused = open(false)
if refused then
  return refused
end
reclaim()
local ids
local next_after = ''
if available_only == '1' then
  local from = tonumber(after) or 0
  local free = S.recovering and 'cleared' or 'available'
  local to = S.recovering and int(S.now) or '+inf'
  ids = redis.call('ZRANGEBYSCORE', S.base .. free, '-inf', to, 'LIMIT', from, most)
  next_after = #ids == most and int(from + most) or ''
else
  ids = redis.call('ZRANGEBYLEX', S.base .. 'containers', after == '' and '-' or '(' .. after, '+', 'LIMIT', 0, most)
  next_after = #ids == most and ids[#ids] or ''
end
local rows = {}
for _, id in ipairs(ids) do
  local f = container_now(id)
  if f then
    rows[#rows + 1] = describe_container(f)
  end
end
return { 'ok', rows, next_after }
