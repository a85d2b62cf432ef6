-- Ends a session: gives back its container, or its place in the line. Safe to repeat: an ended session is answered as
-- it is.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] session
-- ARGV[6] owner    '' for any
-- ARGV[7] token    the holder's fencing token; '' when it gave none
-- ARGV[8] reason   for a session that holds a container; one that waits is cancelled
--
-- Outcomes
--   ok           session row
--   not_found
--   stale_token  current token
--
-- Events: session.ended, what its container brings about, and those of what was overdue.
local session = ARGV[5]
local owner = ARGV[6]
local token = ARGV[7]
local reason = ARGV[8]

local refused = open(false)
if refused then
  return refused
end
licence()
reclaim()

local s = session_now(session)
if not s or (owner ~= '' and s.owner ~= owner) then
  return { 'not_found' }
end
if token ~= '' and s.token and token ~= s.token then
  return { 'stale_token', s.token }
end
if s.state ~= 'ended' then
  finish(s, s.state == 'ready' and reason or 'cancelled')
end
return { 'ok', describe(s) }
