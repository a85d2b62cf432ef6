-- Has an idle container made clean though no session used it, since it is too old: not one that a session has or is
-- offered, and of a type a share at a time, so that enough are left. Safe to repeat.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] container
-- ARGV[6] share      the most of the type's containers that are made clean at a time, in percent; one is in any case
--
-- Outcomes
--   ok
--   busy   it is not idle, or gone
--   later  enough are being made clean
--
-- Events: container.state.
local container = ARGV[5]
local share = tonumber(ARGV[6])

local refused = open(false)
if refused then
  return refused
end
reclaim()
local f = container_now(container)
if not f or f.lease or f.reset or held(f) or (f.set ~= 'available' and f.set ~= 'cordoned') then
  return { 'busy' }
end
local most = math.max(1, math.floor(redis.call('ZCARD', S.base .. 'containers') * share / 100))
if redis.call('ZCARD', S.base .. 'resetting') >= most then
  return { 'later' }
end
licence()
make_clean(f)
return { 'ok' }
