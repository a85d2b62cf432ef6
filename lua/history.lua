-- Reads a type's history: its hours, or a page of the sessions that are remembered one by one, the latest first.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] below  sessions whose number is at most this; '' for the hours
-- ARGV[6] most   how many sessions
--
-- Outcomes
--   ok  Redis's clock in ms, the number of the last session that was ever remembered, rows of hour and counts, the sessions in one text by their end, a comma between two
local below = ARGV[5]
local most = tonumber(ARGV[6])

local refused = open(false)
if refused then
  return refused
end
local last = tonumber(redis.call('HGET', S.base .. 'history', 'remembered') or 0)
if below ~= '' then
  -- Numbers stay where places in the list move with each one that is added.
  local since = math.max(0, last - tonumber(below))
  local page = redis.call('LRANGE', S.base .. 'history_sessions', int(-since - most), int(-since - 1))
  return { 'ok', int(S.wall), int(last), {}, table.concat(page, ',') }
end
local rows = {}
local record = redis.call('HGETALL', S.base .. 'history')
for at = 1, #record, 2 do
  if tonumber(record[at]) then
    rows[#rows + 1] = { record[at], record[at + 1] }
  end
end
return { 'ok', int(S.wall), int(last), rows, '' }
