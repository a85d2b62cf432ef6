-- Gives a container out no more. Its session goes on, and an offer that was made before stays. Safe to repeat: who
-- cordoned it first is kept.
--
-- KEYS[1] epoch
-- ARGV[1] check
-- ARGV[2] events_kept
-- ARGV[3] ended_kept_ms
-- ARGV[4] confirm_ms
-- ARGV[5] container
-- ARGV[6] by         who does it; at most 60 bytes
--
-- Outcomes
--   ok  container row
--   not_found
--
-- Events: container.cordoned, container.state.
local container = ARGV[5]
local by = ARGV[6]

local refused = open(false)
if refused then
  return refused
end
reclaim()
local f = container_now(container)
if not f then
  return { 'not_found' }
end
if not f.cordon then
  licence()
  f.cordon = by
  mark_cordon(f.id, by)
  event('container.cordoned', 'container', f.id, 'by', by)
  settle(f, false, { 'cordon', by })
end
return { 'ok', describe_container(f) }
