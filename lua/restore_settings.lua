-- Puts back what an operator changed and Redis lost, from what a replica knows: settings that are not there, and cordons.
-- A container is cordoned at once, or when it is found.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] version  the one that the caller knows
-- ARGV[6] last     '1': nothing follows of this version
-- ARGV[7...] by three: 'setting' or 'cordon', name or id, value or who did it; at most 100
--
-- Outcomes
--   ok
--   known  somebody else did, or it was changed anew
--
-- Events: container.cordoned, container.state.
local version = tonumber(ARGV[5])
local last = ARGV[6]

local base = S.base
local refused = open(false)
if refused then
  return refused
end
if tonumber(redis.call('HGET', base .. 'settings', 'version') or 0) >= version then
  return { 'known' }
end
licence()

local function cordon(id, by)
  redis.call('HSETNX', base .. 'cordons', id, by)
  local f = facts(id)
  if f and not f.cordon then
    f.cordon = by
    event('container.cordoned', 'container', id, 'by', by)
    settle(f, false, { 'cordon', by })
  end
end

for at = 7, #ARGV, 3 do
  if ARGV[at] == 'cordon' then
    cordon(ARGV[at + 1], ARGV[at + 2])
  else
    redis.call('HSETNX', base .. 'settings', ARGV[at + 1], ARGV[at + 2])
  end
end
if last == '1' then
  operated(version)
end
return { 'ok' }
