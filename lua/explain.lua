-- Why a type's containers are not available: the sizes of its sets, and some containers of each. A container counts for
-- the first reason that keeps it away; those that are being drained are leased or offered as well.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] few    how many are named for each reason; 0: none
-- ARGV[6] looks  how many of those that are unhealthy are looked at for why; at most 100
--
-- Outcomes
--   ok  containers, available, leases, offers, resetting, unhealthy, quarantine, initializing, cordoned, draining, queue,
--       held, the time to the end of a recovery in ms (or false); then rows of reason, ms (or false: to the end of what
--       has an end, else since it is so), container row
local few = tonumber(ARGV[5])
local looks = tonumber(ARGV[6])

local base = S.base
local refused = open(false)
if refused then
  return refused
end
reclaim()
local reply = { 'ok' }
for _, set in ipairs({ 'containers', 'available', 'leases', 'offers', 'resetting', 'unhealthy', 'quarantine',
  'initializing', 'cordoned', 'draining', 'queue' }) do
  reply[#reply + 1] = redis.call('ZCARD', base .. set)
end
local kept_back = 0
if S.recovering then
  kept_back = reply[3] - redis.call('ZCOUNT', base .. 'cleared', '-inf', int(S.now))
  reply[3] = reply[3] - kept_back
end
reply[#reply + 1] = kept_back
reply[#reply + 1] = S.recovering and int(S.pause - S.now)

local rows = {}
local function row(reason, f, time)
  rows[#rows + 1] = { reason, time and int(math.max(0, time)) or false, describe_container(f) }
end

-- Those that come first in a set, each with its score.
local function first(set, most, each)
  if most == 0 then
    return
  end
  local found = redis.call('ZRANGE', base .. set, 0, most - 1, 'WITHSCORES')
  for at = 1, #found, 2 do
    each(found[at], tonumber(found[at + 1]))
  end
end

-- The same where they are containers.
local function containers(set, most, each)
  first(set, most, function(id, score)
    local f = facts(id)
    if f then
      each(f, score)
    end
  end)
end

-- The containers of the sessions whose time is over first.
local function of_sessions(set, reason)
  first(set, few, function(id, deadline)
    local container = redis.call('HGET', base .. 'session:' .. id, 'container')
    local f = container and facts(container)
    if f then
      row(reason, f, deadline - S.now)
    end
  end)
end

-- The word for why a container is unhealthy that is not in quarantine.
local function ailment(f)
  if f.state == 'terminating' then
    return 'terminating'
  elseif f.state ~= 'running' and f.state ~= 'created' then
    return 'not_running'
  elseif f.check == 'unhealthy' then
    return 'check_failing'
  end
  return 'probe_failing'
end

of_sessions('leases', 'leased')
of_sessions('offers', 'offered')
containers('draining', few, function(f, deadline)
  row('draining', f, deadline - S.now)
end)
containers('resetting', few, function(f)
  row('resetting', f)
end)
containers('unhealthy', looks, function(f, since)
  if f.quarantine then
    local ends = redis.call('ZSCORE', base .. 'quarantine', f.id)
    row('quarantined', f, ends and ends - S.now)
  else
    row(ailment(f), f, S.now - since)
  end
end)
for _, set in ipairs({ 'initializing', 'cordoned' }) do
  containers(set, few, function(f, since)
    row(set, f, S.now - since)
  end)
end
if kept_back > 0 then
  containers('available', few, function(f)
    if held(f) then
      row('held', f, (free_from(f) or S.pause) - S.now)
    end
  end)
end
reply[#reply + 1] = rows
return reply
