-- Pages through what is unfinished in a type's history. With `living` it first forgets what events that are gone may have
-- finished: all but the live sessions.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] cursor  '0' at first
-- ARGV[6] most    about so many a page
-- ARGV[7] living  '1': only live sessions
--
-- Outcomes
--   ok  the next cursor ('0' at the end), rows of field and value
local cursor = ARGV[5]
local most = tonumber(ARGV[6])
local living = ARGV[7]

local refused = open(false)
if refused then
  return refused
end
local key = S.base .. 'history_open'
local page = redis.call('HSCAN', key, cursor, 'COUNT', most)
local rows = {}
for at = 1, #page[2], 2 do
  local field, value = page[2][at], page[2][at + 1]
  local session = string.match(field, '^session:(.+)$')
  if living == '1' and not (session and redis.call('ZSCORE', S.base .. 'sessions', session)) then
    redis.call('HDEL', key, field)
  else
    rows[#rows + 1] = { field, value }
  end
end
return { 'ok', page[1], rows }
