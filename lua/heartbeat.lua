-- Renews leases: each for its TTL from now, never past its longest end. The first one confirms the session, and claims
-- it if it is an offer. At most 100 in one call. Safe to repeat.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5...] by five:
--   session
--   owner    '' for any
--   brief    '1': a row without container and metadata
--   token    the fencing token; '' when the caller gave none
--   active   '1': the holder reports that it is at work
--
-- Outcomes, one for each, in their order
--   ok           session row
--   claimed      session row   the same, of an offer that this claimed
--   not_found
--   unproven      in a recovery: Redis may have lost it, and a proof is wanted
--   queued
--   ended        session row
--   stale_token  current token
--
-- Events: session.ready when an offer is claimed, and those of what was overdue.
local refused = open(false)
if refused then
  return refused
end
reclaim()

local half_a_day = 12 * 3600 * 1000

local function beat(session, owner, brief, token, active)
  local s = session_now(session)
  if not s and S.recovering then
    return { 'unproven' }
  end
  if not s or (owner ~= '' and s.owner ~= owner) then
    return { 'not_found' }
  end
  if s.state == 'ended' then
    return { 'ended', describe(s, true) }
  end
  if s.state == 'queued' then
    if S.recovering and token ~= '' then
      return { 'unproven' }
    end
    return { 'queued' }
  end
  if token ~= '' and token ~= s.token then
    return { 'stale_token', s.token }
  end
  if doubtful(s) then
    return { 'unproven' }
  end
  local offered = s.state == 'offered'
  if offered then
    claim(s)
  end
  renew(s, nil, active == '1')
  if s.idem and S.now - tonumber(s.idem_at) > half_a_day then
    redis.call('HSET', S.base .. 'session:' .. session, 'idem_at', int(S.now))
    s.keep_idem = s.idem
  end
  if offered then
    return { 'claimed', describe(s, brief == '1') }
  end
  return { 'ok', describe(s, brief == '1') }
end

local replies = {}
for at = 5, #ARGV, 5 do
  replies[#replies + 1] = beat(unpack(ARGV, at, at + 4))
end
return { 'ok', replies }
