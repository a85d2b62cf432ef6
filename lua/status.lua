-- Counts of a type, from the sizes of its sets.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
--
-- Outcomes
--   ok  containers, available, leases, offers, resetting, unhealthy, initializing, cordoned, tickets, held; then of a
--       recovery the time to its end and since the loss was found, in ms, and how many leases were proven (or false);
--       how long the oldest reset has been going on, in ms (or false); and how many are in quarantine
local refused = open(false)
if refused then
  return refused
end
reclaim()
local reply = { 'ok' }
for _, set in ipairs({ 'containers', 'available', 'leases', 'offers', 'resetting', 'unhealthy', 'initializing',
  'cordoned', 'tickets' }) do
  reply[#reply + 1] = redis.call('ZCARD', S.base .. set)
end
local kept_back = 0
if S.recovering then
  kept_back = reply[3] - redis.call('ZCOUNT', S.base .. 'cleared', '-inf', int(S.now))
  reply[3] = reply[3] - kept_back
end
reply[#reply + 1] = kept_back
reply[#reply + 1] = S.recovering and int(S.pause - S.now)
reply[#reply + 1] = S.recovering and int(math.max(0, S.wall - S.lost))
reply[#reply + 1] = S.recovering and redis.call('HGET', KEYS[1], 'proven')
local oldest = reply[6] > 0 and redis.call('ZRANGE', S.base .. 'resetting', 0, 0, 'WITHSCORES')[2]
reply[#reply + 1] = oldest and int(math.max(0, S.now - tonumber(oldest)))
reply[#reply + 1] = redis.call('ZCARD', S.base .. 'quarantine')
return reply
