-- Ends sessions: gives back the container of each, or its place in the line; at most 100 in one call. Safe to repeat: an
-- ended session is answered as it is.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5...] by four:
--   session
--   owner    '' for any
--   token    the holder's fencing token; '' when it gave none
--   reason   for a session that holds a container; one that waits is cancelled
--
-- Outcomes, one for each, in their order
--   ok           session row
--   not_found
--   stale_token  current token
--
-- Events: session.ended, what its container brings about, and those of what was overdue.
local refused = open(false)
if refused then
  return refused
end
reclaim()

local function release(session, owner, token, reason)
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
end

local replies = {}
for at = 5, #ARGV, 4 do
  replies[#replies + 1] = release(unpack(ARGV, at, at + 3))
end
return { 'ok', replies }
