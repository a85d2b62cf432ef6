-- Reads a type's history.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] singly  '1': also the sessions that are remembered one by one
--
-- Outcomes
--   ok  Redis's clock in ms, rows of hour and counts, the sessions in one text, a comma between two
local singly = ARGV[5]

local refused = open(false)
if refused then
  return refused
end
local rows = {}
local record = redis.call('HGETALL', S.base .. 'history')
for at = 1, #record, 2 do
  if tonumber(record[at]) then
    rows[#rows + 1] = { record[at], record[at + 1] }
  end
end
local sessions = singly == '1' and redis.call('LRANGE', S.base .. 'history_sessions', 0, -1) or {}
return { 'ok', int(S.wall), rows, table.concat(sessions, ',') }
