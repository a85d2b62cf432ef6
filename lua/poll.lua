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
-- ARGV[9] renews      '1': a ready session is renewed as by a heartbeat (the guide's clients send none)
-- ARGV[10] replica    a channel to wake as well; ''
--
-- Outcomes
--   ok         session row
--   claimed    session row   its offer was claimed by this
--   fresh      session row   it is ready, and its holder has not been heard of yet
--   not_found
--   unproven   ms   in a recovery: Redis may have lost it; the time to its end
--   given_up   ms   the time to the end of a recovery (or false)
--
-- Events: session.ready when an offer is claimed, session.ended when it gives up, and those of what was overdue.
local session = ARGV[5]
local owner = ARGV[6]
local ticket_ms = tonumber(ARGV[7])
local give_up = ARGV[8]
local renews = ARGV[9]
local replica = ARGV[10]

local base = S.base
local refused = open(false)
if refused then
  return refused
end
reclaim()

local s = session_now(session)
if not s and S.recovering then
  return { 'unproven', int(S.pause - S.now) }
end
if not s or (owner ~= '' and s.owner ~= owner) then
  return { 'not_found' }
end
if owner == '' then
  return { 'ok', describe(s) }
end
if doubtful(s) then
  return { 'unproven', int(S.pause - S.now) }
end
if s.state == 'offered' then
  claim(s)
  return { 'claimed', describe(s) }
elseif s.state == 'queued' then
  if give_up == '1' then
    close(s, 'ticket_expired')
    redis.call('DEL', base .. 'session:' .. session, base .. 'metadata:' .. session)
    redis.call('ZREM', base .. 'ended', session)
    return { 'given_up', S.recovering and int(S.pause - S.now) }
  end
  licence()
  redis.call('ZADD', base .. 'tickets', 'XX', int(math.min(S.now + ticket_ms, tonumber(s['until']))), session)
  listen(s, replica)
elseif s.state == 'ready' and renews == '1' then
  renew(s)
end
if s.state == 'ready' and not s.beat then
  return { 'fresh', describe(s) }
end
return { 'ok', describe(s) }
