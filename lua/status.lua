-- Counts of a type, from the sizes of its sets.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
--
-- Outcomes
--   ok  containers, available, leases, offers, resetting, unhealthy, initializing, cordoned, tickets
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
return reply
