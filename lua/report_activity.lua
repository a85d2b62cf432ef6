-- Notes that a session is used, by others than its holder: puts off its end for want of activity, and renews nothing. Safe to repeat.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] session
-- ARGV[6] token  the fencing token of the lease that it is used by
--
-- Outcomes
--   ok        its idle limit in ms (or false)
--   over      there is no such lease any more
--   unproven  ms   in a recovery: the time to its end
--
-- Events: those of what was overdue.
local session = ARGV[5]
local token = ARGV[6]

local refused = open(false)
if refused then
  return refused
end
reclaim()
local s = session_now(session)
if not s and S.recovering then
  return { 'unproven', int(S.pause - S.now) }
end
if not s or s.state ~= 'ready' or s.token ~= token then
  return { 'over' }
end
if doubtful(s) then
  return { 'unproven', int(S.pause - S.now) }
end
licence()
used(s)
-- The end for want of activity had cut the holder's last renewal short: it lasts as it would have, and no longer. What is due before
-- stays noted.
if s.renewed and s.idle_end then
  redis.call('ZADD', S.base .. 'leases', 'XX', 'GT', int(math.min(tonumber(s.renewed), s.idle_end)), session)
end
return { 'ok', s.idle and int(s.idle) or false }
