-- Removes containers; at most 100. The session of one that has one ends as `container_lost`.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] provider
-- ARGV[6] generation
-- ARGV[7] sequence
-- ARGV[8...] container
--
-- Outcomes
--   ok     how many were removed
--   stale
--
-- Events: container.quarantined, container.quarantine_full, session.ended, container.removed.
local provider = ARGV[5]
local generation = tonumber(ARGV[6])
local sequence = tonumber(ARGV[7])

local refused = open(false)
if refused then
  return refused
end
if not mark(provider, generation, sequence) then
  return { 'stale' }
end
reclaim()
local removed = 0
for at = 8, #ARGV do
  local f = facts(ARGV[at])
  if f and f.provider == provider then
    if f.lease then
      strike(f, 'lost')
    end
    forget(f)
    removed = removed + 1
  end
end
return { 'ok', removed }
