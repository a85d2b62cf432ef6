-- Takes sessions back as if they had never been, for too few replicas had heard of them in time; at most 100 in one call.
-- Safe to repeat.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5...] by two:
--   session
--   owner
--
-- Outcomes
--   ok  how many there were
--
-- Events: session.ended, and what their containers bring about.
local refused = open(false)
if refused then
  return refused
end

local function withdraw(session, owner)
  local s = session_of(session)
  if not s or s.owner ~= owner then
    return 0
  end
  if s.state ~= 'ended' then
    finish(s, 'cancelled')
  end
  redis.call('DEL', S.base .. 'session:' .. session, S.base .. 'metadata:' .. session)
  redis.call('ZREM', S.base .. 'ended', session)
  return 1
end

local taken = 0
for at = 5, #ARGV, 2 do
  taken = taken + withdraw(ARGV[at], ARGV[at + 1])
end
return { 'ok', taken }
