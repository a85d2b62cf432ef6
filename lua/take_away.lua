-- Takes containers out of a pool that is to be smaller: those that no session has, each in one step with the look at that, so that
-- none is ever given out again. They go from the type when their provider has removed them. Never more than leaves what is needed
-- now. Safe to repeat.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] replica
-- ARGV[6] most      how many
-- ARGV[7] least     how many that serve are to be left
-- ARGV[8] min_idle  beside those in use and those that somebody waits for
-- ARGV[9...] container  which may go, in this order
--
-- Outcomes
--   ok    ids of those that were taken
--   lost  another replica has it
--
-- Events: container.taken_away, container.state.
local replica = ARGV[5]
local most = tonumber(ARGV[6])
local least = tonumber(ARGV[7])
local min_idle = tonumber(ARGV[8])

local refused = open(false)
if refused then
  return refused
end
reclaim()
if redis.call('HGET', S.base .. 'scale', 'by') ~= replica then
  return { 'lost' }
end
local function size(set)
  return redis.call('ZCARD', S.base .. set)
end
local needed = math.max(least, size('leases') + size('offers') + size('tickets') + min_idle)
local usable = size('containers') - size('unhealthy') - redis.call('HLEN', S.base .. 'cordons') - size('leaving')
local taken = {}
for at = 9, #ARGV do
  local f = #taken < most and container_now(ARGV[at])
  if f and not f.lease and not f.reset and not f.replaces and not f.leaving and not held(f) then
    -- One that was never started serves nobody.
    local serves = f.set ~= 'unhealthy' and not f.cordon and f.state ~= 'created'
    if not serves or usable > needed then
      licence()
      f.leaving = '1'
      redis.call('ZADD', S.base .. 'leaving', int(S.now), f.id)
      event('container.taken_away', 'container', f.id)
      settle(f, false, { 'leaving', '1' })
      taken[#taken + 1] = f.id
      usable = usable - (serves and 1 or 0)
    end
  end
end
return { 'ok', taken }
