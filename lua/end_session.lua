-- Ends a session for an operator, whoever owns it and whether it holds a container or waits. Safe to repeat: an ended
-- session is answered as it is.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] session
-- ARGV[6] token  the fencing token that it is to have; '' for any
-- ARGV[7] by     who does it; at most 60 bytes
--
-- Outcomes
--   ok           session row
--   not_found
--   stale_token  current token
--
-- Events: session.ended, what its container brings about, and those of what was overdue.
local session = ARGV[5]
local token = ARGV[6]
local by = ARGV[7]

local refused = open(false)
if refused then
  return refused
end
reclaim()
local s = session_now(session)
if not s then
  return { 'not_found' }
end
if token ~= '' and s.token and token ~= s.token then
  return { 'stale_token', s.token }
end
if s.state ~= 'ended' then
  s.by = by
  finish(s, 'admin')
end
return { 'ok', describe(s) }
