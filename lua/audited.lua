-- What the last audit of a type found.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
--
-- Outcomes
--   ok     how long ago it ended in ms, then rows of kind and how many
--   never
local refused = open(false)
if refused then
  return refused
end
local ended, rows = nil, {}
local record = redis.call('HGETALL', S.base .. 'audit')
for at = 1, #record, 2 do
  local field, value = record[at], record[at + 1]
  if field == 'finished' then
    ended = tonumber(value)
  elseif field ~= 'by' and field ~= 'until' then
    rows[#rows + 1] = { field, value }
  end
end
if not ended then
  return { 'never' }
end
return { 'ok', int(math.max(0, S.wall - ended)), rows }
