-- Reads a session for its owner: keeps its ticket alive, and claims its offer. Safe to repeat.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] session
-- ARGV[6] owner       '' for any: then nothing is kept alive or claimed
-- ARGV[7] ticket_ms   how long the ticket lives from now
-- ARGV[8] give_up     '1': when it is still queued, take it out of the line as if it had never been
-- ARGV[9] renew       '1': a ready session is renewed as by a heartbeat (the guide's clients send none)
-- ARGV[10] replica    the channel to wake from now on; '' for no change
--
-- Outcomes
--   ok         session row
--   not_found
--   given_up
--
-- Events: session.ready when an offer is claimed, session.ended when it gives up.
local session = ARGV[5]
local owner = ARGV[6]
local ticket_ms = tonumber(ARGV[7])
local give_up = ARGV[8]
local renew = ARGV[9]
local replica = ARGV[10]

local base = S.base
local refused = open(false)
if refused then
  return refused
end
reclaim()

local s = session_of(session)
if not s or (owner ~= '' and s.owner ~= owner) then
  return { 'not_found' }
end
if owner == '' then
  return { 'ok', describe(s) }
end
if s.state == 'offered' then
  claim(s)
elseif s.state == 'queued' then
  if give_up == '1' then
    close(s, 'ticket_expired')
    redis.call('DEL', base .. 'session:' .. session, base .. 'metadata:' .. session)
    redis.call('ZREM', base .. 'ended', session)
    return { 'given_up' }
  end
  licence()
  redis.call('ZADD', base .. 'tickets', 'XX', int(math.min(S.now + ticket_ms, tonumber(s['until']))), session)
  if replica ~= '' and not string.find(s.replica or '', replica, 1, true) then
    redis.call('HSET', base .. 'session:' .. session, 'replica', s.replica and s.replica .. ',' .. replica or replica)
  end
elseif s.state == 'ready' and renew == '1' then
  licence()
  local expiry = S.now + tonumber(s.ttl)
  redis.call('ZADD', base .. 'leases', 'XX', int(s.cap and math.min(expiry, tonumber(s.cap)) or expiry), session)
end
return { 'ok', describe(s) }
