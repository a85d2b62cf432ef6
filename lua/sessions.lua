-- One page of a type's sessions, oldest first: the live ones, or those that ended.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] owner   '' for any
-- ARGV[6] ended   '1': those that ended
-- ARGV[7] score   where the page before stopped; '-inf'
-- ARGV[8] after   the last id of the page before; ''
-- ARGV[9] most    at most 100
--
-- Outcomes
--   ok  session rows, then score and id where it stopped (both '' at the end)
local owner = ARGV[5]
local ended = ARGV[6]
local score = ARGV[7]
local after = ARGV[8]
local most = tonumber(ARGV[9])

local refused = open(false)
if refused then
  return refused
end
reclaim()
local set = S.base .. (ended == '1' and 'ended' or (owner == '' and 'sessions' or 'owner:' .. owner))
-- Members of one score are in order of id, so those up to `after` are passed over. One script may end a hundred in one
-- millisecond.
local found = redis.call('ZRANGEBYSCORE', set, score, '+inf', 'WITHSCORES', 'LIMIT', 0, most + 200)
local rows, stopped_score, stopped_id, more = {}, '', '', false
for at = 1, #found, 2 do
  local id = found[at]
  if not (found[at + 1] == score and id <= after) then
    if #rows >= most then
      more = true
      break
    end
    stopped_score, stopped_id = found[at + 1], id
    local s = session_now(id)
    if s and (owner == '' or s.owner == owner) and (s.state == 'ended') == (ended == '1') then
      rows[#rows + 1] = describe(s)
    end
  end
end
if not more and #found < 2 * (most + 200) then
  stopped_score, stopped_id = '', ''
end
return { 'ok', rows, stopped_score, stopped_id }
